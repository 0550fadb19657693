package scripted

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"dayfly.example/interop/wire"
)

const defaultGrace = 10 * time.Second

// job is a process of this machine: `/bin/sh -c run_command`, as the known runners start it. It
// has a process group of its own, and may outlive the plugin, which forgets it.
type job struct {
	handle *wire.JobHandle
	fault  string
	grace  time.Duration
	cmd    *exec.Cmd
	output *output

	mu        sync.Mutex
	cancelled bool
	ended     bool
	code      int32
}

func start(spec *wire.JobSpec, handle *wire.JobHandle) (*job, error) {
	started := &job{
		handle: handle,
		fault:  spec.GetEnvVars()["FAULT"],
		grace:  defaultGrace,
		cmd:    exec.Command("/bin/sh", "-c", spec.GetRunCommand()),
		output: newOutput(),
	}
	if seconds := spec.GetTermination().GetGracePeriodSeconds(); seconds > 0 {
		started.grace = time.Duration(seconds) * time.Second
	}
	// What a job leaves in the background may hold its pipes open.
	started.cmd.WaitDelay = time.Second
	started.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// The mark by which a test finds what is left of its jobs.
	mark := "INTEROP_JOB_OF=" + strings.Join(os.Args[1:], " ")
	started.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), mark}
	for name, value := range spec.GetEnvVars() {
		started.cmd.Env = append(started.cmd.Env, name+"="+value)
	}
	started.cmd.Stdout = started.output.writer("stdout")
	started.cmd.Stderr = started.output.writer("stderr")
	if err := started.cmd.Start(); err != nil {
		return nil, err
	}
	go started.await()
	return started, nil
}

func (j *job) await() {
	_ = j.cmd.Wait()
	j.mu.Lock()
	j.ended = true
	j.code = int32(j.cmd.ProcessState.ExitCode())
	if signal := j.cmd.ProcessState.Sys().(syscall.WaitStatus); signal.Signaled() {
		j.code = 128 + int32(signal.Signal())
	}
	j.mu.Unlock()
	j.output.end()
}

// cancel sends TERM at once, and KILL when the grace period is over.
func (j *job) cancel() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended {
		return nil
	}
	j.cancelled = true
	time.AfterFunc(j.grace, func() { j.signal(syscall.SIGKILL) })
	j.signal(syscall.SIGTERM)
	return nil
}

func (j *job) signal(number syscall.Signal) {
	// It may have ended a moment ago.
	_ = syscall.Kill(-j.cmd.Process.Pid, number)
}

func (j *job) status() *wire.JobStatusReply {
	j.mu.Lock()
	defer j.mu.Unlock()
	reply := &wire.JobStatusReply{Handle: j.handle, State: wire.JobState_JOB_STATE_RUNNING}
	if !j.ended {
		return reply
	}
	switch {
	case j.cancelled:
		reply.State = wire.JobState_JOB_STATE_CANCELLED
	case j.code == 0:
		reply.State = wire.JobState_JOB_STATE_SUCCEEDED
	default:
		reply.State = wire.JobState_JOB_STATE_FAILED
		reply.ExitCode = j.code
		reply.Message = "the process failed"
	}
	return reply
}

// follow calls send with all output from the beginning, until the job has ended.
func (j *job) follow(ctx context.Context, send func(*wire.LogChunk) error) error {
	for next := 0; ; next++ {
		piece, more := j.output.piece(ctx, next)
		if !more {
			return ctx.Err()
		}
		if err := send(&wire.LogChunk{Data: piece.data, Source: piece.source}); err != nil {
			return err
		}
	}
}

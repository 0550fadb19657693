package main

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"

	"dayfly.example/interop/wire"
)

type jobReport struct {
	Run      string            `json:"run"`
	ID       string            `json:"id"`
	Provider string            `json:"provider"`
	Metadata map[string]string `json:"metadata"`
	States   []string          `json:"states"`
	ExitCode int32             `json:"exit_code"`
	Message  string            `json:"message"`
	Cancel   string            `json:"cancel"`
	Logs     string            `json:"logs"`
	// Output by source, as JSON writes bytes: in base64.
	Output map[string][]byte `json:"output"`
	Chunks int               `json:"chunks"`
	// EOF tells that the last chunk said so; EOFData is what was in it, which is lost.
	EOF     bool   `json:"eof"`
	EOFData []byte `json:"eof_data"`
}

func runJob(ctx context.Context, conn *grpc.ClientConn, todo jobToRun) jobReport {
	runner := wire.NewIaCProviderRunnerClient(conn)
	var seen jobReport
	handle, err := runner.RunJob(ctx, &wire.JobSpec{
		Name: "from-go", Kind: "EPHEMERAL", Image: todo.Image, RunCommand: todo.Command,
		EnvVars: todo.Env, EnvVarsSecret: todo.Secrets, TimeoutSeconds: todo.Timeout,
	})
	seen.Run = said(err)
	if err != nil {
		return seen
	}
	seen.ID, seen.Provider, seen.Metadata = handle.GetId(), handle.GetProvider(), handle.GetMetadata()
	seen.watch(ctx, conn, handle, todo.Cancel)
	seen.read(ctx, runner, handle)
	return seen
}

// watch polls the job until it has ended, as the Go project's host does, though more often.
func (r *jobReport) watch(
	ctx context.Context, conn *grpc.ClientConn, handle *wire.JobHandle, cancel bool,
) {
	for ctx.Err() == nil {
		reply, err := wire.NewIaCProviderRunnerClient(conn).JobStatus(ctx, handle)
		if err != nil {
			r.States = append(r.States, said(err))
			return
		}
		state := reply.GetState().String()
		if len(r.States) == 0 || r.States[len(r.States)-1] != state {
			r.States = append(r.States, state)
		}
		switch reply.GetState() {
		case wire.JobState_JOB_STATE_SUCCEEDED, wire.JobState_JOB_STATE_FAILED,
			wire.JobState_JOB_STATE_CANCELLED:
			r.ExitCode, r.Message = reply.GetExitCode(), reply.GetMessage()
			return
		case wire.JobState_JOB_STATE_RUNNING:
			if cancel {
				cancel = false
				_, err := wire.NewIaCProviderJobCancelerClient(conn).CancelJob(ctx, handle)
				r.Cancel = said(err)
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// read is the Go project's own way: it stops at the first eof, and drops what is in that chunk.
func (r *jobReport) read(
	ctx context.Context, runner wire.IaCProviderRunnerClient, handle *wire.JobHandle,
) {
	r.Output = map[string][]byte{}
	stream, err := runner.JobLogs(ctx, handle)
	for err == nil {
		var chunk *wire.LogChunk
		chunk, err = stream.Recv()
		if err != nil {
			break
		}
		if chunk.GetEof() {
			r.EOF, r.EOFData = true, chunk.GetData()
			break
		}
		r.Chunks++
		r.Output[chunk.GetSource()] = append(r.Output[chunk.GetSource()], chunk.GetData()...)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	r.Logs = said(err)
}

func (r *report) unknown(ctx context.Context, conn *grpc.ClientConn, id string) {
	runner := wire.NewIaCProviderRunnerClient(conn)
	handle := &wire.JobHandle{Id: id, Name: "nobody"}
	reply, err := runner.JobStatus(ctx, handle)
	r.UnknownStatus = said(err)
	if err == nil {
		r.UnknownStatus += ": " + reply.GetState().String()
	}
	var read jobReport
	read.read(ctx, runner, handle)
	r.UnknownLogs = read.Logs
}

// Package scripted is a provider with the classic services: it runs jobs as processes of this
// machine, and fails in the ways that a job's variable FAULT or the plugin's modes ask for.
package scripted

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"dayfly.example/interop/wire"
)

const (
	// Name is what the plugin calls itself.
	Name = "go-scripted"
	// Version is the plugin's.
	Version = "1.4.2"
)

// Provider serves IaCProviderRequired and IaCProviderRunner.
type Provider struct {
	wire.UnimplementedIaCProviderRequiredServer
	wire.UnimplementedIaCProviderRunnerServer

	mu   sync.Mutex
	jobs map[string]*job
}

// New makes a provider without jobs.
func New() *Provider { return &Provider{jobs: map[string]*job{}} }

// Initialize takes any JSON object but one with a key "refuse", whose value is the reason.
func (p *Provider) Initialize(
	_ context.Context, request *wire.InitializeRequest,
) (*wire.InitializeResponse, error) {
	config := map[string]any{}
	if err := json.Unmarshal(request.GetConfigJson(), &config); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "the configuration is no object: %v", err)
	}
	if reason, found := config["refuse"]; found {
		return nil, fmt.Errorf("the configuration is refused: %v", reason)
	}
	return &wire.InitializeResponse{}, nil
}

// Name gives the provider's name.
func (p *Provider) Name(context.Context, *wire.NameRequest) (*wire.NameResponse, error) {
	return &wire.NameResponse{Name: Name}, nil
}

// Version gives the provider's version.
func (p *Provider) Version(context.Context, *wire.VersionRequest) (*wire.VersionResponse, error) {
	return &wire.VersionResponse{Version: Version}, nil
}

// Capabilities says what every such provider has to say.
func (p *Provider) Capabilities(
	context.Context, *wire.CapabilitiesRequest,
) (*wire.CapabilitiesResponse, error) {
	return &wire.CapabilitiesResponse{ComputePlanVersion: "v2"}, nil
}

// RunJob starts a job.
func (p *Provider) RunJob(_ context.Context, spec *wire.JobSpec) (*wire.JobHandle, error) {
	if spec.GetCron() != "" || len(spec.GetEnvVarsSecret()) > 0 {
		return nil, status.Error(codes.InvalidArgument, "cron and secrets are not honoured here")
	}
	switch fault := spec.GetEnvVars()["FAULT"]; fault {
	case "panic-in-run":
		panic("my last words, in RunJob")
	case "panic-deep":
		fall(50)
	case "plain-error-in-run":
		return nil, errors.New("the cluster is on fire")
	case "refused-in-run":
		return nil, status.Error(codes.PermissionDenied, "you may not run this image")
	case "prints":
		printMuch()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	handle := &wire.JobHandle{
		Id:       fmt.Sprintf("job-%d", len(p.jobs)+1),
		Name:     spec.GetName(),
		Provider: Name,
		Metadata: map[string]string{"image": spec.GetImage()},
	}
	started, err := start(spec, handle)
	if err != nil {
		return nil, err
	}
	p.jobs[handle.GetId()] = started
	return handle, nil
}

// JobStatus says where a job stands.
func (p *Provider) JobStatus(_ context.Context, handle *wire.JobHandle) (*wire.JobStatusReply, error) {
	found, err := p.find(handle)
	if err != nil {
		return nil, err
	}
	reply := found.status()
	switch found.fault {
	case "panic-in-status":
		panic("my last words, in JobStatus")
	case "failed-without-code":
		reply.State, reply.ExitCode = wire.JobState_JOB_STATE_FAILED, 0
	case "strange-state":
		reply.State = wire.JobState(77)
	}
	return reply, nil
}

// JobLogs sends a job's output to its end, and then one empty chunk that says so.
func (p *Provider) JobLogs(
	handle *wire.JobHandle, stream wire.IaCProviderRunner_JobLogsServer,
) error {
	found, err := p.find(handle)
	if err != nil {
		return err
	}
	if found.fault == "no-logs" {
		return status.Error(codes.PermissionDenied, "you may not read logs")
	}
	send := stream.Send
	if found.fault == "panic-in-logs" {
		send = func(chunk *wire.LogChunk) error {
			if err := stream.Send(chunk); err != nil {
				return err
			}
			panic("my last words, in JobLogs")
		}
	}
	if err := found.follow(stream.Context(), send); err != nil {
		return err
	}
	return stream.Send(&wire.LogChunk{Eof: true})
}

// Cancel stops a job.
func (p *Provider) Cancel(handle *wire.JobHandle) error {
	found, err := p.find(handle)
	if err != nil {
		return err
	}
	return found.cancel()
}

func (p *Provider) find(handle *wire.JobHandle) (*job, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if found, known := p.jobs[handle.GetId()]; known {
		return found, nil
	}
	return nil, status.Errorf(codes.NotFound, "there is no job %s", strconv.Quote(handle.GetId()))
}

// fall panics with more of a stack trace than fits a screen.
func fall(depth int) {
	if depth == 0 {
		panic("my last words, deep down")
	}
	fall(depth - 1)
	runtime.KeepAlive(depth)
}

// printMuch writes more than any pipe or flow-control window holds, 1 MB to each.
func printMuch() {
	line := strings.Repeat("x", 99) + "\n"
	for range 10_000 {
		_, _ = os.Stdout.WriteString(line)
		_, _ = os.Stderr.WriteString(line)
	}
	_, _ = os.Stdout.WriteString("the last line on stdout\n")
}

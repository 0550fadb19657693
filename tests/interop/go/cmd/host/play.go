package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"dayfly.example/interop/wire"
)

// Every call has a bound, and so has the program.
const limit = 30 * time.Second

type report struct {
	Manifest      *wire.Manifest    `json:"manifest"`
	Codes         map[string]string `json:"codes"`
	Services      []string          `json:"services"`
	Before        capabilities      `json:"before_initialize"`
	Initialized   []string          `json:"initialized"`
	After         capabilities      `json:"after_initialize"`
	Jobs          []jobReport       `json:"jobs"`
	UnknownStatus string            `json:"unknown_status"`
	UnknownLogs   string            `json:"unknown_logs"`
	Printed       string            `json:"printed"`
	ExitCode      int               `json:"exit_code"`
	KillSeconds   float64           `json:"kill_seconds"`
}

type capabilities struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	PlanVersion string `json:"plan_version"`
	Count       int    `json:"count"`
}

func play(program string, todo scenario) (*report, error) {
	loaded, err := load(program)
	if err != nil {
		return nil, err
	}
	seen := &report{Codes: map[string]string{}}
	err = seen.all(loaded.conn, todo)
	began := time.Now()
	loaded.kill()
	seen.KillSeconds = time.Since(began).Seconds()
	seen.ExitCode = loaded.exitCode()
	seen.Printed = loaded.printed()
	return seen, err
}

func (r *report) all(conn *grpc.ClientConn, todo scenario) error {
	ctx, stop := context.WithTimeout(context.Background(), limit)
	defer stop()
	if err := r.loading(ctx, wire.NewPluginServiceClient(conn)); err != nil {
		return err
	}
	required := wire.NewIaCProviderRequiredClient(conn)
	var err error
	if r.Before, err = ask(ctx, required); err != nil {
		return fmt.Errorf("before Initialize: %w", err)
	}
	for _, config := range todo.Configs {
		_, err := required.Initialize(ctx, &wire.InitializeRequest{ConfigJson: config})
		r.Initialized = append(r.Initialized, said(err))
	}
	if r.After, err = ask(ctx, required); err != nil {
		return fmt.Errorf("after Initialize: %w", err)
	}
	for _, job := range todo.Jobs {
		r.Jobs = append(r.Jobs, runJob(ctx, conn, job))
	}
	if todo.Unknown != "" {
		r.unknown(ctx, conn, todo.Unknown)
	}
	return nil
}

// loading makes the calls of the Go project's host, in its order.
func (r *report) loading(ctx context.Context, plugin wire.PluginServiceClient) error {
	var err error
	if r.Manifest, err = plugin.GetManifest(ctx, &emptypb.Empty{}); err != nil {
		return fmt.Errorf("GetManifest: %w", err)
	}
	_, err = plugin.GetTriggerTypes(ctx, &emptypb.Empty{})
	r.Codes["GetTriggerTypes"] = status.Code(err).String()
	registry, err := plugin.GetContractRegistry(ctx, &emptypb.Empty{})
	if err != nil {
		return fmt.Errorf("GetContractRegistry: %w", err)
	}
	for _, contract := range registry.GetContracts() {
		if contract.GetKind() == wire.ContractKind_CONTRACT_KIND_SERVICE {
			r.Services = append(r.Services, contract.GetServiceName())
		}
	}
	slices.Sort(r.Services)
	_, err = plugin.GetConfigFragment(ctx, &emptypb.Empty{})
	r.Codes["GetConfigFragment"] = status.Code(err).String()
	_, err = plugin.GetModuleTypes(ctx, &emptypb.Empty{})
	r.Codes["GetModuleTypes"] = status.Code(err).String()
	_, err = plugin.GetStepTypes(ctx, &emptypb.Empty{})
	r.Codes["GetStepTypes"] = status.Code(err).String()
	_, err = plugin.GetModuleSchemas(ctx, &emptypb.Empty{})
	r.Codes["GetModuleSchemas"] = status.Code(err).String()
	return nil
}

func ask(ctx context.Context, required wire.IaCProviderRequiredClient) (capabilities, error) {
	has, err := required.Capabilities(ctx, &wire.CapabilitiesRequest{})
	if err != nil {
		return capabilities{}, fmt.Errorf("Capabilities: %w", err)
	}
	name, err := required.Name(ctx, &wire.NameRequest{})
	if err != nil {
		return capabilities{}, fmt.Errorf("Name: %w", err)
	}
	version, err := required.Version(ctx, &wire.VersionRequest{})
	if err != nil {
		return capabilities{}, fmt.Errorf("Version: %w", err)
	}
	return capabilities{
		Name: name.GetName(), Version: version.GetVersion(),
		PlanVersion: has.GetComputePlanVersion(), Count: len(has.GetCapabilities()),
	}, nil
}

// said is how a call ended: its code, and its message where it failed.
func said(err error) string {
	if err == nil {
		return "OK"
	}
	return status.Code(err).String() + ": " + status.Convert(err).Message()
}

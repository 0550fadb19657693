// Command provider is a plugin, with the modes that INTEROP_MODES lists, separated by commas:
//
//	canceler       it serves IaCProviderJobCanceler
//	stub-canceler  it announces the canceler and answers UNIMPLEMENTED
//	deaf           it runs on after Shutdown, and has a child that does so too
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"dayfly.example/interop/scripted"
	"dayfly.example/interop/wire"
)

func main() {
	modes := strings.Split(os.Getenv("INTEROP_MODES"), ",")
	provider := scripted.New()
	serve(provider, func(server *grpc.Server) {
		switch {
		case slices.Contains(modes, "canceler"):
			wire.RegisterIaCProviderJobCancelerServer(server, canceler{provider: provider})
		case slices.Contains(modes, "stub-canceler"):
			wire.RegisterIaCProviderJobCancelerServer(server, canceler{})
		}
	})
	if slices.Contains(modes, "deaf") {
		stayOn()
	}
}

type canceler struct {
	wire.UnimplementedIaCProviderJobCancelerServer
	provider *scripted.Provider
}

func (c canceler) CancelJob(ctx context.Context, handle *wire.JobHandle) (*emptypb.Empty, error) {
	if c.provider == nil {
		return c.UnimplementedIaCProviderJobCancelerServer.CancelJob(ctx, handle)
	}
	return &emptypb.Empty{}, c.provider.Cancel(handle)
}

// stayOn leaves nothing but SIGKILL to its group to end it, and ends by itself after a minute.
func stayOn() {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	child := exec.Command("sleep", "61")
	if err := child.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	time.Sleep(time.Minute)
}

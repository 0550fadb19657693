// Command exec-agent serves SandboxExecService over TLS. It runs commands as processes of this
// machine, whatever the image, and knows nothing but the wire.
//
// Usage: exec-agent CERT_FILE KEY_FILE TOKEN
//
// The variable FAULT of a command asks for a way to fail:
//
//	no-code   the stream ends without an exit code
//	goes-on   the agent says the exit code, and neither ends the stream nor stops talking
package main

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"dayfly.example/interop/wire"
)

func main() {
	if err := serve(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "exec-agent:", err)
		os.Exit(1)
	}
}

func serve(cert, key, token string) error {
	own, err := credentials.NewServerTLSFromFile(cert, key)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.Creds(own), grpc.StreamInterceptor(
		func(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			if !shown(stream.Context(), token) {
				return status.Error(codes.Unauthenticated, "no such bearer")
			}
			return handler(service, stream)
		},
	))
	wire.RegisterSandboxExecServiceServer(server, agent{})
	fmt.Println(listener.Addr())
	return server.Serve(listener)
}

func shown(ctx context.Context, token string) bool {
	for _, given := range metadata.ValueFromIncomingContext(ctx, "authorization") {
		if subtle.ConstantTimeCompare([]byte(given), []byte("Bearer "+token)) == 1 {
			return true
		}
	}
	return false
}

type agent struct {
	wire.UnimplementedSandboxExecServiceServer
}

// Exec runs a command until it ends or the call does.
func (agent) Exec(request *wire.SandboxExecRequest, stream wire.SandboxExecService_ExecServer) error {
	if request.GetImage() == "" || len(request.GetCommand()) == 0 {
		return status.Error(codes.InvalidArgument, "an image and a command are needed")
	}
	argv := request.GetCommand()
	sender := &sender{stream: stream}
	command := exec.CommandContext(stream.Context(), argv[0], argv[1:]...)
	command.Dir = request.GetWorkdir()
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "PROFILE=" + request.GetProfile()}
	for name, value := range request.GetEnv() {
		command.Env = append(command.Env, name+"="+value)
	}
	command.Stdout = writer(func(data []byte) error { return sender.stdout(data) })
	command.Stderr = writer(func(data []byte) error { return sender.stderr(data) })
	if err := command.Run(); command.ProcessState == nil {
		return status.Errorf(codes.NotFound, "it cannot be started: %v", err)
	}
	fault := request.GetEnv()["FAULT"]
	if fault == "no-code" {
		return nil
	}
	code := int32(command.ProcessState.ExitCode())
	if err := sender.send(&wire.SandboxExecChunk{Payload: &wire.SandboxExecChunk_ExitCode{ExitCode: code}}); err != nil {
		return err
	}
	for fault == "goes-on" && stream.Context().Err() == nil {
		if err := sender.stdout([]byte("after the end")); err != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// sender lets one stream of a command talk at a time.
type sender struct {
	mu     sync.Mutex
	stream wire.SandboxExecService_ExecServer
}

func (s *sender) stdout(data []byte) error {
	return s.send(&wire.SandboxExecChunk{Payload: &wire.SandboxExecChunk_Stdout{Stdout: data}})
}

func (s *sender) stderr(data []byte) error {
	return s.send(&wire.SandboxExecChunk{Payload: &wire.SandboxExecChunk_Stderr{Stderr: data}})
}

func (s *sender) send(chunk *wire.SandboxExecChunk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stream.Send(chunk)
}

type writer func([]byte) error

func (w writer) Write(data []byte) (int, error) {
	return len(data), w(data)
}

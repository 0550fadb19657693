// Command exec-client asks an agent to run one command, and prints what it saw as JSON.
//
// Usage: exec-client ADDRESS CA_FILE TOKEN [leave] < request.json
//
// It does what the Go project's own client does: TLS, a bearer token, and nothing read beyond the
// first exit code. With leave it goes away after the first output.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"dayfly.example/interop/wire"
)

const timeout = 40 * time.Second

// seen is what came back; Code is nil where the agent gave none.
type seen struct {
	Stdout  []byte `json:"stdout"`
	Stderr  []byte `json:"stderr"`
	Code    *int32 `json:"code"`
	Error   string `json:"error"`
	Message string `json:"message"`
}

// bearer shows the token at each call, and only over TLS.
type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

func (bearer) RequireTransportSecurity() bool { return true }

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], len(os.Args) > 4); err != nil {
		fmt.Fprintln(os.Stderr, "exec-client:", err)
		os.Exit(1)
	}
}

func run(address, ca, token string, leave bool) error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	request := &wire.SandboxExecRequest{}
	if err := protojson.Unmarshal(text, request); err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	trusted, err := credentials.NewClientTLSFromFile(ca, "")
	if err != nil {
		return err
	}
	connection, err := grpc.NewClient(
		address, grpc.WithTransportCredentials(trusted), grpc.WithPerRPCCredentials(bearer(token)),
	)
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	answer, err := ask(ctx, wire.NewSandboxExecServiceClient(connection), request, leave)
	if err != nil {
		answer.Error, answer.Message = status.Code(err).String(), status.Convert(err).Message()
	}
	return json.NewEncoder(os.Stdout).Encode(answer)
}

func ask(
	ctx context.Context, client wire.SandboxExecServiceClient, request *wire.SandboxExecRequest, leave bool,
) (answer seen, err error) {
	stream, err := client.Exec(ctx, request)
	if err != nil {
		return answer, err
	}
	for answer.Code == nil {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return answer, nil
		}
		if err != nil {
			return answer, err
		}
		switch payload := chunk.GetPayload().(type) {
		case *wire.SandboxExecChunk_Stdout:
			answer.Stdout = append(answer.Stdout, payload.Stdout...)
		case *wire.SandboxExecChunk_Stderr:
			answer.Stderr = append(answer.Stderr, payload.Stderr...)
		case *wire.SandboxExecChunk_ExitCode:
			answer.Code = &payload.ExitCode
		}
		if leave {
			return answer, nil
		}
	}
	return answer, nil
}

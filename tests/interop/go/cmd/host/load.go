package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// loadedPlugin is a plugin's process, and the connection to it.
type loadedPlugin struct {
	conn   *grpc.ClientConn
	client *plugin.Client
	cmd    *exec.Cmd
	stdio  *buffer
}

// load starts a plugin in its own directory, with the host's whole environment.
func load(program string) (*loadedPlugin, error) {
	loaded := &loadedPlugin{cmd: exec.Command(program), stdio: &buffer{}}
	loaded.cmd.Dir = filepath.Dir(program)
	loaded.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  1,
			MagicCookieKey:   "WORKFLOW_PLUGIN",
			MagicCookieValue: "workflow-external-plugin-v1",
		},
		Plugins:          plugin.PluginSet{"plugin": &connPlugin{}},
		Cmd:              loaded.cmd,
		Stderr:           loaded.stdio,
		SyncStdout:       loaded.stdio,
		SyncStderr:       loaded.stdio,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
	})
	protocol, err := loaded.client.Client()
	if err != nil {
		loaded.client.Kill()
		return nil, fmt.Errorf("starting %s: %w; it printed %s", program, err, loaded.printed())
	}
	if err := protocol.Ping(); err != nil {
		loaded.client.Kill()
		return nil, fmt.Errorf("asking %s for its health: %w", program, err)
	}
	dispensed, err := protocol.Dispense("plugin")
	if err != nil {
		loaded.client.Kill()
		return nil, fmt.Errorf("dispensing %s: %w", program, err)
	}
	loaded.conn = dispensed.(*grpc.ClientConn)
	return loaded, nil
}

func (l *loadedPlugin) kill() { l.client.Kill() }

// exitCode is -1 where a signal had to end the plugin.
func (l *loadedPlugin) exitCode() int { return l.cmd.ProcessState.ExitCode() }

func (l *loadedPlugin) printed() string { return l.stdio.text() }

// connPlugin hands out the bare connection. Like the Go project's host, it offers a callback
// service on the broker first, whether or not the plugin ever dials it.
type connPlugin struct{ plugin.NetRPCUnsupportedPlugin }

func (connPlugin) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this program is no plugin")
}

func (connPlugin) GRPCClient(
	_ context.Context, broker *plugin.GRPCBroker, conn *grpc.ClientConn,
) (any, error) {
	go broker.AcceptAndServe(broker.NextId(), func(options []grpc.ServerOption) *grpc.Server {
		return grpc.NewServer(options...)
	})
	return conn, nil
}

// buffer is what several writers wrote, at once perhaps.
type buffer struct {
	mu      sync.Mutex
	written bytes.Buffer
}

func (b *buffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.written.Write(data)
}

func (b *buffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.written.String()
}

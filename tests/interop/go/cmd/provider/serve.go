package main

import (
	"context"
	"errors"
	"strings"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"dayfly.example/interop/scripted"
	"dayfly.example/interop/wire"
)

const namespace = "workflow.plugin.external.iac."

// serve runs the plugin until its host says Shutdown.
func serve(provider *scripted.Provider, more func(*grpc.Server)) {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  1,
			MagicCookieKey:   "WORKFLOW_PLUGIN",
			MagicCookieValue: "workflow-external-plugin-v1",
		},
		Plugins:    plugin.PluginSet{"plugin": &grpcPlugin{provider: provider, more: more}},
		GRPCServer: plugin.DefaultGRPCServer,
	})
}

type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	provider *scripted.Provider
	more     func(*grpc.Server)
}

func (p *grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	wire.RegisterIaCProviderRequiredServer(server, p.provider)
	wire.RegisterIaCProviderRunnerServer(server, p.provider)
	p.more(server)
	wire.RegisterPluginServiceServer(server, &pluginService{server: server})
	return nil
}

func (p *grpcPlugin) GRPCClient(
	context.Context, *plugin.GRPCBroker, *grpc.ClientConn,
) (any, error) {
	return nil, errors.New("this program is no host")
}

// pluginService announces what is registered, as the Go project's own SDK does.
type pluginService struct {
	wire.UnimplementedPluginServiceServer
	server *grpc.Server
}

func (s *pluginService) GetManifest(context.Context, *emptypb.Empty) (*wire.Manifest, error) {
	return &wire.Manifest{
		Name: scripted.Name, Version: scripted.Version, Author: "tests", Description: "In Go.",
	}, nil
}

func (s *pluginService) GetContractRegistry(
	context.Context, *emptypb.Empty,
) (*wire.ContractRegistry, error) {
	registry := &wire.ContractRegistry{}
	for name := range s.server.GetServiceInfo() {
		if strings.HasPrefix(name, namespace) {
			registry.Contracts = append(registry.Contracts, &wire.ContractDescriptor{
				Kind:        wire.ContractKind_CONTRACT_KIND_SERVICE,
				ServiceName: name,
				Mode:        wire.ContractMode_CONTRACT_MODE_STRICT_PROTO,
			})
		}
	}
	return registry, nil
}

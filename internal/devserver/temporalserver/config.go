//go:build !release

package temporalserver

import (
	"fmt"
	"net"
	"strconv"
	"time"

	serverauth "go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/temporal"
)

const (
	clusterName = "active"
	storeName   = "sqlite"
	shards      = 1 // fixed for the life of a file
)

// newConfig describes a one-process cluster on the SQLite file, which it creates when needed.
func newConfig(p ports, options Options) (*config.Config, error) {
	store, err := openStore(options)
	if err != nil {
		return nil, err
	}
	address := func(port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
	var c config.Config
	c.Global.Membership = config.Membership{MaxJoinDuration: 30 * time.Second, BroadcastAddress: host}
	c.Persistence = config.Persistence{
		DefaultStore:     storeName,
		VisibilityStore:  storeName,
		NumHistoryShards: shards,
		DataStores:       map[string]config.DataStore{storeName: {SQL: store}},
	}
	c.ClusterMetadata = &cluster.Config{
		FailoverVersionIncrement: 10,
		MasterClusterName:        clusterName,
		CurrentClusterName:       clusterName,
		ClusterInformation: map[string]cluster.ClusterInformation{clusterName: {
			Enabled:                true,
			InitialFailoverVersion: 1,
			RPCAddress:             address(p.frontend),
			HTTPAddress:            address(p.http),
		}},
	}
	c.DCRedirectionPolicy.Policy = "noop"
	c.Services = map[string]config.Service{
		"frontend": {RPC: config.RPC{BindOnIP: host, GRPCPort: p.frontend, HTTPPort: p.http}},
		"history":  {RPC: config.RPC{BindOnIP: host, GRPCPort: p.history}},
		"matching": {RPC: config.RPC{BindOnIP: host, GRPCPort: p.matching}},
		"worker":   {RPC: config.RPC{BindOnIP: host, GRPCPort: p.worker}},
	}
	const disabled = "disabled"
	c.Archival.History.State, c.Archival.Visibility.State = disabled, disabled
	c.NamespaceDefaults.Archival.History.State, c.NamespaceDefaults.Archival.Visibility.State = disabled, disabled
	c.PublicClient.HostPort = address(p.frontend)
	return &c, nil
}

// authorization builds the parts that the server insists on; without configuration they allow all.
func authorization(c *config.Config, logger *serverLogger) ([]temporal.ServerOption, error) {
	authorizer, err := serverauth.GetAuthorizerFromConfig(&c.Global.Authorization)
	if err != nil {
		return nil, fmt.Errorf("authorizer: %w", err)
	}
	claims, err := serverauth.GetClaimMapperFromConfig(&c.Global.Authorization, logger)
	if err != nil {
		return nil, fmt.Errorf("claim mapper: %w", err)
	}
	return []temporal.ServerOption{
		temporal.WithAuthorizer(authorizer),
		temporal.WithClaimMapper(func(*config.Config) serverauth.ClaimMapper { return claims }),
	}, nil
}

// dynamicConfig tunes the server for one shard and few workers.
func dynamicConfig() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		// A queue is polled 20 times a second and shard unless said, which is 50 ms per activity.
		dynamicconfig.TransferProcessorMaxPollRPS.Key():   1000,
		dynamicconfig.TimerProcessorMaxPollRPS.Key():      1000,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): 1000,
		// One partition: a task never waits in a partition that nobody polls.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
		// A long poll now and then misses its wake-up just after the start; it then lasts this long, not 20 s.
		dynamicconfig.HistoryLongPollExpirationInterval.Key(): 2 * time.Second,
		// A search attribute can be used as soon as it was added.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,
		// The limits are for shared databases.
		dynamicconfig.FrontendPersistenceMaxQPS.Key():                    10000,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():                     45000,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 100,
		dynamicconfig.HistoryCacheHostLevelMaxSize.Key():                 8096,
		dynamicconfig.NamespaceCacheRefreshInterval.Key():                namespaceRefresh,
	}
}

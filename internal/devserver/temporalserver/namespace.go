//go:build !release

package temporalserver

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"prospector/internal/temporalclient"
)

const (
	namespaceRefresh = time.Second      // how often the services read the namespaces again
	readyTimeout     = 30 * time.Second // for the server to answer
	retryInterval    = 50 * time.Millisecond
)

// prepareNamespace waits until the server answers for the namespace, and gives the namespace its
// retention and search attributes. Both are set on the running server, because what a namespace
// is created with counts for new files only and is always kept for one day.
func prepareNamespace(ctx context.Context, address string, options Options, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	c, err := client.NewLazyClient(client.Options{HostPort: address, Namespace: options.Namespace, Logger: log})
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer c.Close()
	var described *workflowservice.DescribeNamespaceResponse
	err = retry(ctx, func() (err error) {
		described, err = c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: options.Namespace})
		return err
	})
	if err != nil {
		return fmt.Errorf("wait for namespace %s: %w", options.Namespace, err)
	}
	if described.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration() != options.Retention {
		_, err := c.WorkflowService().UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
			Namespace: options.Namespace,
			Config:    &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(options.Retention)},
		})
		if err != nil {
			return fmt.Errorf("set the retention of namespace %s: %w", options.Namespace, err)
		}
	}
	if err := ensureSearchAttributes(ctx, c, options); err != nil {
		return err
	}
	err = retry(ctx, func() error {
		_, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query(options.SearchAttributes)})
		return err
	})
	if err != nil {
		return fmt.Errorf("wait for the search attributes: %w", err)
	}
	return nil
}

// ensureSearchAttributes adds those that the namespace does not have.
func ensureSearchAttributes(ctx context.Context, c client.Client, options Options) error {
	added, err := temporalclient.EnsureSearchAttributes(ctx, c, options.Namespace, options.SearchAttributes)
	if err != nil || !added {
		return err
	}
	// Each service learns of them at its next refresh, and only the frontend can be asked.
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(2 * namespaceRefresh):
		return nil
	}
}

// query uses every attribute, so that it fails while one of them is unknown.
func query(attributes []string) string {
	text := ""
	for _, name := range attributes {
		if text != "" {
			text += " OR "
		}
		text += "`" + name + "` = 'none'"
	}
	return text
}

// retry calls f until it succeeds or ctx is done, and returns f's last error.
func retry(ctx context.Context, f func() error) error {
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(retryInterval):
		}
	}
}

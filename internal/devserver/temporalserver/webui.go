//go:build !release

package temporalserver

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// startUI serves the Web UI and returns when it answers. Its pages are part of the binary; with
// the news switched off it needs no network.
func startUI(ctx context.Context, serverAddress string, port int, namespace string) (stop func(), err error) {
	defer func() {
		if cause := recover(); cause != nil { // it panics over a wrong configuration
			stop, err = nil, fmt.Errorf("start the web UI: %v", cause)
		}
	}()
	ui := uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		Host:                host,
		Port:                port,
		TemporalGRPCAddress: serverAddress,
		EnableUI:            true,
		DefaultNamespace:    namespace,
		CORS:                uiconfig.CORS{CookieInsecure: true}, // plain HTTP on this machine
		HideLogs:            true,
		DisableNewsFetch:    true,
	}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = ui.Start() // returns after Stop
	}()
	stop = func() {
		ui.Stop()
		<-done
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	url := "http://" + net.JoinHostPort(host, strconv.Itoa(port)) + "/healthz"
	if err := retry(ctx, func() error { return get(ctx, url) }); err != nil {
		stop()
		return nil, fmt.Errorf("wait for the web UI: %w", err)
	}
	return stop, nil
}

func get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := (&http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, answer.Status)
	}
	return nil
}

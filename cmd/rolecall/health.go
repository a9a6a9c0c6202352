package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

// healthCommand is the container's health check: the image has no shell and no curl.
func healthCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "health",
		Short: "Ask the running serve whether it is ready; exits 7 and says what is wrong when it is not",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(needListen)
			if err != nil {
				return err
			}
			if err := askReady(cmd.Context(), cfg.Listen); err != nil {
				return coded(exitUnwell, err)
			}
			return say(t, map[string]bool{"ready": true}, "ready")
		},
	}
}

func askReady(ctx context.Context, listen string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("read address %q: %w", listen, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s does not say within %s whether it is ready: what it rests on, such as PagerDuty, may not answer", listen, readyWithin)
	}
	if why, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("nothing answers at %s: %w", listen, why.Err)
	}
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready:\n  %s", strings.ReplaceAll(strings.TrimSpace(string(body)), "\n", "\n  "))
	}
	return nil
}

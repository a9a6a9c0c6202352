package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"rolecall/bot/sandbox"
)

func demoCommand(t *terminal) *cobra.Command {
	var port int
	var story, verbose bool
	var database string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Try it: an invented company in a page that looks like Slack, with PagerDuty beside it",
		Long: "Runs the real bot over real HTTP with real signatures, against strict fakes of Slack and PagerDuty.\n" +
			"Needs nothing, reaches nothing outside this machine, and leaves nothing behind unless --database says so.",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			log := slog.New(slog.DiscardHandler)
			if verbose {
				log = slog.New(slog.NewTextHandler(t.err, nil))
			}
			if port < 0 || port > mostPort {
				return coded(exitUsage, fmt.Errorf("--port: %d is no port: give one from 1 to %d, or 0 for a free one", port, mostPort))
			}
			if err := fresh(database); err != nil {
				return err
			}
			w, err := newWorld(cmd.Context(), database, log)
			if err != nil {
				return err
			}
			if story {
				return errors.Join(inWorld(cmd.Context(), w, (&teller{w: w, out: t.out}).tell), w.close())
			}
			return errors.Join(inWorld(cmd.Context(), w, func(ctx context.Context) error { return showPage(ctx, t, w, port) }), w.close())
		},
	}
	cmd.Flags().IntVar(&port, "port", 8100, "port of the page on 127.0.0.1; 0 takes a free one")
	cmd.Flags().BoolVar(&story, "story", false, "play the story without a browser and print what each person sees")
	cmd.Flags().StringVar(&database, "database", "", "keep the record in this new file, to look at afterwards")
	cmd.Flags().BoolVar(&verbose, "verbose", false, "log what the bot does")
	return cmd
}

const mostPort = 65535

// fresh refuses a database that exists: the demo's company would be added to it.
func fresh(database string) error {
	if database == "" {
		return nil
	}
	if _, err := os.Stat(database); err == nil {
		return coded(exitUsage, fmt.Errorf("--database: %s exists; the demo wants a new file", database))
	}
	return nil
}

// inWorld runs the service, and f once it is ready; when f ends, so does the service.
func inWorld(ctx context.Context, w *world, f func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.service.run(ctx) })
	g.Go(func() error {
		defer stop()
		if err := w.ready(ctx); err != nil {
			return err
		}
		return f(ctx)
	})
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func showPage(ctx context.Context, t *terminal, w *world, port int) error {
	page, err := sandbox.New(w.page())
	if err != nil {
		return fmt.Errorf("set up the page: %w", err)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("listen for the page: %w (another --port may be free)", err)
	}
	server := &http.Server{Handler: page, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	fmt.Fprintf(t.out, "The workspace is open at http://%s\nPress Ctrl-C to leave.\n", listener.Addr())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the page: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
		defer cancel()
		return server.Shutdown(drain)
	})
	return g.Wait()
}

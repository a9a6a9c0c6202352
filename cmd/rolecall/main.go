// Command rolecall governs who holds which role in PagerDuty, from Slack.
//
// This package wires: it reads flags and configuration, builds the rings from
// the outside in, and runs one subcommand. It decides nothing.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program as a function of its surroundings. It returns the exit
// code: 0 done, 1 fault, 2 usage or configuration, 3 refused, 4 conflict, 5 the
// snapshot was not whole, 6 the trail is broken, 7 the doctor found something.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	cmd := rootCommand(terminal{in: in, out: out, err: errOut})
	cmd.SetArgs(append([]string{}, args...)) // nil would be the process's own
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	code, words := exit(err)
	if words != "" {
		fmt.Fprintln(errOut, plainLines(words))
	}
	return code
}

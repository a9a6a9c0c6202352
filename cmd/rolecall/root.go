package main

import (
	"io"

	"github.com/spf13/cobra"
)

// terminal is where a command reads from and writes to.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	json     bool
}

func rootCommand(t terminal) *cobra.Command {
	term := &t
	root := &cobra.Command{
		Use:   "rolecall",
		Short: "Governs who holds which role in PagerDuty, from Slack",
		Long: "rolecall hears who joins, moves and leaves, asks the owner in Slack, changes PagerDuty,\n" +
			"reads back what it did, and keeps a record that an auditor can verify.\n\n" +
			"Try it with nothing but this program: rolecall demo",
		SilenceUsage:               true,
		SilenceErrors:              true,
		SuggestionsMinimumDistance: 2,
		Args:                       usage(cobra.NoArgs),
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return coded(exitUsage, err) })
	root.PersistentFlags().BoolVar(&term.json, "json", false, "print JSON, for programs")
	root.AddCommand(
		serveCommand(term), demoCommand(term), migrateCommand(term), doctorCommand(term),
		policyCommand(term), rosterCommand(term), reconcileCommand(term), digestCommand(term),
		requestCommand(term), auditCommand(term), backupCommand(term), healthCommand(term), versionCommand(term),
	)
	return root
}

// usage makes a mistake in the arguments exit with the usage code.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error { return coded(exitUsage, check(cmd, args)) }
}

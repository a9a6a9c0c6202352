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
	root := group(&cobra.Command{
		Use:   "rolecall",
		Short: "Governs who holds which role in PagerDuty, from Slack",
		Long: "rolecall hears who joins, moves and leaves, asks the owner in Slack, changes PagerDuty,\n" +
			"reads back what it did, and keeps a record that an auditor can verify.\n\n" +
			"Try it with nothing but this program: rolecall demo\n\n" +
			"Everything else is configured by environment variables; rolecall doctor says which are missing.\n" +
			"Exit codes: 0 done, 1 fault, 2 usage or configuration, 3 refused, 4 conflict or no longer pending,\n" +
			"5 PagerDuty not read as a whole, 6 record broken, 7 unwell.",
		SilenceUsage:  true,
		SilenceErrors: true,
	})
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.SetFlagErrorFunc(flagMistake)
	root.PersistentFlags().BoolVar(&term.json, "json", false, "print JSON, for programs")
	root.AddCommand(
		serveCommand(term), demoCommand(term), migrateCommand(term), doctorCommand(term),
		policyCommand(term), rosterCommand(term), reconcileCommand(term), digestCommand(term), trendCommand(term),
		requestCommand(term), awayCommand(term), whoCommand(term), identityCommand(term), holdCommand(term), sourceCommand(term), statusCommand(term), auditCommand(term), backupCommand(term), healthCommand(term), versionCommand(term),
	)
	return root
}

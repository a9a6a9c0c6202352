package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
	"rolecall/storage"
)

func rosterCommand(t *terminal) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "roster",
		Short: "Import and export who works here, as CSV or JSONL",
	})
	cmd.AddCommand(rosterImportCommand(t), rosterExportCommand(t))
	return cmd
}

func rosterImportCommand(t *terminal) *cobra.Command {
	var source string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take a roster (.csv or .jsonl): every row is what one person is now; a wrong row refuses the file",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			facts, err := readRoster(args[0], source)
			if err != nil {
				return err
			}
			return withDatabase(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				return keepRoster(ctx, t, db, facts)
			})
		},
	}
	cmd.Flags().StringVar(&source, "source", "roster", "name of the source of truth these rows come from")
	return cmd
}

func readRoster(path, source string) (_ []lifecycle.Fact, err error) {
	format, err := intake.FormatOf(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, coded(exitUsage, fmt.Errorf("open roster: %w", err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read roster: %w", err)
	}
	facts, err := intake.ReadRoster(f, format, source, info.ModTime())
	if wrong, ok := errors.AsType[*lifecycle.Refusal](err); ok {
		return nil, coded(exitUsage, rowsWrong(path, wrong))
	}
	if err != nil {
		return nil, coded(exitUsage, fmt.Errorf("read roster %s: %w", path, err))
	}
	return facts, nil
}

// rowsWrong says every mistake at its row and column, not the first alone.
func rowsWrong(path string, wrong *lifecycle.Refusal) error {
	lines := []string{path + ": nothing was imported."}
	for _, f := range wrong.Fields {
		lines = append(lines, fmt.Sprintf("%s:%s: %s", path, f.Path, f.Message))
	}
	if len(wrong.Fields) == 0 {
		lines = append(lines, wrong.Reason)
	}
	return errors.New(strings.Join(lines, "\n"))
}

func keepRoster(ctx context.Context, t *terminal, db *storage.DB, facts []lifecycle.Fact) error {
	inbox := lifecycle.NewInbox(db, time.Now)
	progress, fresh := progressBar(t, "importing"), 0
	for i, f := range facts {
		_, duplicate, err := inbox.Receive(ctx, f)
		if err != nil {
			return fmt.Errorf("row of %s: %w; the %d rows before it are kept, and importing the file again is harmless", f.Person.EmployeeID, err, i)
		}
		if !duplicate {
			fresh++
		}
		progress.update(int64(i)+1, int64(len(facts)))
	}
	progress.done()
	if t.json {
		return printJSON(t.out, map[string]int{"rows": len(facts), "changed": fresh})
	}
	fmt.Fprintf(t.out, "%s, %d of them news. A running serve takes it from here.\n", count(len(facts), "row"), fresh)
	return nil
}

func rosterExportCommand(t *terminal) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "export [--file FILE]",
		Short: "Write everybody a source of truth has sent, in the form that import takes",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDatabase(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				people, err := db.Identities(ctx)
				if err != nil {
					return fmt.Errorf("list identities: %w", err)
				}
				return exportRoster(t, path, people)
			})
		},
	}
	cmd.Flags().StringVar(&path, "file", "", "file to write (.csv or .jsonl); standard output, as CSV or with --json as JSONL, when not given")
	return cmd
}

func exportRoster(t *terminal, path string, people []lifecycle.Identity) (err error) {
	var w io.Writer = t.out
	format := intake.CSV
	if t.json {
		format = intake.JSONL
	}
	if path != "" {
		if format, err = intake.FormatOf(path); err != nil {
			return err
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // it names people
		if err != nil {
			return coded(exitUsage, fmt.Errorf("write roster: %w", err))
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		w = f
	}
	if err := intake.WriteRoster(w, format, people); err != nil {
		return fmt.Errorf("write roster: %w", err)
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
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

// rosterImport is what a roster is imported as.
type rosterImport struct {
	source, at         string
	accept             bool
	acceptedBy, reason string
}

func rosterImportCommand(t *terminal) *cobra.Command {
	var o rosterImport
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take a roster (.csv or .jsonl): everybody a source knows, as they are now; a wrong row refuses the file",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return coded(exitUsage, err)
			}
			return o.run(cmd.Context(), t, args[0])
		},
	}
	cmd.Flags().StringVar(&o.source, "source", intake.SourceRoster, "name of the source of truth these rows come from")
	cmd.Flags().StringVar(&o.at, "at", "", "when it was so, such as 2026-05-31T06:00:00Z; the time of the file when not given")
	cmd.Flags().BoolVar(&o.accept, "accept", false, "take it in although it differs from the last more than is ordinary")
	cmd.Flags().StringVar(&o.acceptedBy, "as", "", "address of who accepts it, somebody of Security")
	cmd.Flags().StringVar(&o.reason, "reason", "", "why it is right all the same")
	return cmd
}

// check refuses what says half of something, before anything is read.
func (o rosterImport) check() error {
	switch {
	case o.accept && (o.acceptedBy == "" || strings.TrimSpace(o.reason) == ""):
		return lifecycle.Refuse(lifecycle.ErrInvalid, "say who accepts it, and why: --accept --as EMAIL --reason TEXT")
	case !o.accept && o.acceptedBy+o.reason != "":
		return lifecycle.Refuse(lifecycle.ErrInvalid, "--as and --reason say who accepts a roster, and go with --accept")
	case o.at != "":
		if _, err := time.Parse(time.RFC3339, o.at); err != nil {
			return lifecycle.Refuse(lifecycle.ErrInvalid, "--at %q is not a time like 2026-05-31T06:00:00Z", o.at)
		}
	}
	return intake.CheckRosterSource(o.source)
}

func (o rosterImport) run(ctx context.Context, t *terminal, path string) (err error) {
	file, at, err := readRoster(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if o.at != "" {
		if at, err = time.Parse(time.RFC3339, o.at); err != nil {
			return fmt.Errorf("read --at: %w", err)
		}
	}
	roster, err := file.Roster(o.source, at)
	if err != nil {
		return err
	}
	return withDatabase(ctx, func(ctx context.Context, db *storage.DB) error { return o.take(ctx, t, db, roster) })
}

// take is the door through which PUT /v1/roster goes, too.
func (o rosterImport) take(ctx context.Context, t *terminal, db *storage.DB, roster lifecycle.Roster) error {
	rules, err := o.policy(ctx, db)
	if err != nil {
		return err
	}
	if roster.Accepted, roster.Reason = o.accept, o.reason; o.accept {
		if roster.By, err = lifecycle.NewDirectory(db, rules, time.Now).Find(ctx, o.acceptedBy); isNotFound(err) {
			return coded(exitRefused, err)
		} else if err != nil {
			return err
		}
	}
	progress := progressBar(t, "importing")
	roster.Facts = counted(roster.Facts, func(n int64) { progress.update(n, int64(roster.Rows)) })
	snapshots := lifecycle.NewSnapshots(db, lifecycle.NewInbox(db, time.Now), lifecycle.NewSources(db, rules, time.Now), time.Now)
	taken, err := snapshots.Take(ctx, roster)
	progress.done()
	if errors.Is(err, lifecycle.ErrInvalid) { // the rows are in order, and the whole is out of the ordinary
		return coded(exitRefused, err)
	}
	if err != nil {
		return err
	}
	return sayTaken(t, roster, taken)
}

// counted tells of every fact that is asked for, and how many there were.
func counted(facts iter.Seq2[lifecycle.Fact, error], tell func(n int64)) iter.Seq2[lifecycle.Fact, error] {
	return func(yield func(lifecycle.Fact, error) bool) {
		n := int64(0)
		for f, err := range facts {
			n++
			tell(n)
			if !yield(f, err) {
				return
			}
		}
	}
}

// sayTaken says what the roster came to, and what happens next.
func sayTaken(t *terminal, r lifecycle.Roster, taken lifecycle.Taken) error {
	if t.json {
		return printJSON(t.out, map[string]int{"rows": taken.Rows, "changed": taken.Changed, "held": taken.Held})
	}
	lines := []string{fmt.Sprintf("%s, %d of them news.", count(taken.Rows, "row"), taken.Changed)}
	switch {
	case taken.Identical:
		lines = []string{count(taken.Rows, "row") + ", the same as the last time: nothing was done."}
	case taken.Observed:
		lines = append(lines, fmt.Sprintf("It is the first roster of %s: who people are counts, and nothing is asked because of it. The next one is acted on.", plain(r.Source)))
	case taken.Changed > 0:
		lines = append(lines, "A running serve takes it from here.")
	}
	if taken.Absent > 0 {
		lines = append(lines, fmt.Sprintf("Of those whom %s knew, not in it: %d. Who is missing from two in a row is asked about, and nobody leaves by that alone.", plain(r.Source), taken.Absent))
	}
	if taken.Held > 0 {
		lines = append(lines, fmt.Sprintf("%d of its leavers and movers are held until two of Security have looked: rolecall hold list.", taken.Held))
	}
	if _, err := fmt.Fprintln(t.out, strings.Join(lines, "\n")); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// policy returns the policy that says who may accept a roster. Nothing else here
// asks for one.
func (o rosterImport) policy(ctx context.Context, db *storage.DB) (lifecycle.PolicySource, error) {
	if !o.accept {
		return asWritten{}, nil
	}
	rules, err := inForce(ctx, db)
	return termsOf(db, asWritten{rules}), err
}

// readRoster returns the roster at path once it is known to be in order, and when
// its file was written.
func readRoster(path string) (_ *intake.RosterFile, written time.Time, err error) {
	format, err := intake.FormatOf(path)
	if err != nil {
		return nil, written, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, written, coded(exitUsage, fmt.Errorf("open roster: %w", err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, written, fmt.Errorf("read roster: %w", err)
	}
	file, err := intake.ReadRoster(f, format, "")
	if wrong, ok := errors.AsType[*lifecycle.Refusal](err); ok {
		return nil, written, coded(exitUsage, rowsWrong(path, wrong))
	}
	if err != nil {
		return nil, written, coded(exitUsage, fmt.Errorf("read roster %s: %w", path, err))
	}
	return file, info.ModTime(), nil
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
	left, err := intake.WriteRoster(w, format, people)
	if err != nil {
		return fmt.Errorf("write roster: %w", err)
	}
	if left > 0 {
		fmt.Fprintf(t.err, "Left out: %d, of whom no source has given an employee id and an address, which no roster can be without.\n", left)
	}
	return nil
}

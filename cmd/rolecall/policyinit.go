package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/policy"
	"rolecall/storage"
)

// beginning is what policy init was asked for.
type beginning struct {
	path, channel, roster string
}

func policyInitCommand(t *terminal) *cobra.Command {
	var how beginning
	cmd := &cobra.Command{
		Use:   "init --security-channel C0ABC123 [--file FILE]",
		Short: "Begin a policy file: what PagerDuty is now, by which nobody gains or loses anything",
		Long: "Reads all of PagerDuty, and who the sources of truth have sent: from the database where there is one, or from\n" +
			"a roster. Roles become rules by department, title or group where these describe exactly who holds them, and by\n" +
			"name otherwise. A file that is there already is never written over; --file - is standard output.",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if how.channel == "" {
				return coded(exitUsage, errors.New("say which Slack channel is told of trouble: --security-channel with its id, such as C0ABC123, which its details in Slack show"))
			}
			return initPolicy(cmd.Context(), t, how)
		},
	}
	cmd.Flags().StringVar(&how.path, "file", "policy.yaml", "file to write")
	cmd.Flags().StringVar(&how.channel, "security-channel", "", "id of the Slack channel that is told of trouble")
	cmd.Flags().StringVar(&how.roster, "roster", "", "take people from this file (.csv or .jsonl), and no database")
	return cmd
}

func initPolicy(ctx context.Context, t *terminal, how beginning) error {
	if _, err := os.Stat(how.path); err == nil && how.path != "-" {
		return coded(exitUsage, fmt.Errorf("%s is there already; name another with --file, or move it away", how.path))
	}
	cfg, err := loadConfig(needPagerDuty)
	if err != nil {
		return err
	}
	people, err := whoIsKnown(ctx, cfg, how.roster)
	if err != nil {
		return err
	}
	account, err := wholeAccount(ctx, t, cfg)
	if err != nil {
		return err
	}
	text, err := policy.Draft(policy.Start{Account: account, People: people, Security: how.channel, Protect: []string{cfg.PagerdutyFrom}, At: time.Now()})
	if ms, wrong := errors.AsType[policy.Mistakes](err); wrong && strings.Contains(ms.Error(), how.channel) {
		return coded(exitUsage, fmt.Errorf("%q is not the id of a Slack channel, such as C0ABC123; copy it from its details in Slack", how.channel))
	}
	if err != nil {
		return err
	}
	if how.path == "-" {
		_, err := t.out.Write(text)
		return err
	}
	if err := writeNew(how.path, text); err != nil {
		return coded(exitUsage, fmt.Errorf("write %s: %w", how.path, cause(err)))
	}
	return describe(t, how.path, text)
}

// whoIsKnown returns the people of the roster or of the database, or nobody where
// there is neither: then accounts stand for people.
func whoIsKnown(ctx context.Context, cfg config, roster string) (people []lifecycle.Identity, err error) {
	if roster != "" {
		return rosterPeople(roster)
	}
	if !strings.Contains(cfg.Database, "://") {
		if _, err := os.Stat(cfg.Database); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	err = withDatabase(ctx, func(ctx context.Context, db *storage.DB) error {
		if people, err = db.Identities(ctx); err != nil {
			return fmt.Errorf("list identities: %w", err)
		}
		return nil
	})
	return people, err
}

// wholeAccount reads all of PagerDuty, or exits as a roll call does that could not.
func wholeAccount(ctx context.Context, t *terminal, cfg config) (lifecycle.Snapshot, error) {
	calls := progressBar(t, "reading PagerDuty")
	way := cfg.pagerDuty(slog.New(slog.DiscardHandler))
	way.Progress = func(done, total int) { calls.update(int64(done), int64(total)) }
	pd, err := pagerduty.New(way)
	if err != nil {
		return lifecycle.Snapshot{}, fmt.Errorf("set up PagerDuty: %w", err)
	}
	account, err := pd.Snapshot(ctx)
	calls.done()
	if err != nil {
		reason := lifecycle.ReasonOf(err)
		if reason == "" {
			reason = err.Error()
		}
		return account, coded(exitPartial, errors.New("PagerDuty could not be read as a whole, so no policy was written: "+reason))
	}
	return account, nil
}

// writeNew writes a file that is not there yet.
func writeNew(path string, text []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.Copy(f, strings.NewReader(string(text)))
	return err
}

// describe says what was written, and what to do with it.
func describe(t *terminal, path string, text []byte) error {
	rules, err := policy.Parse(path, text)
	if err != nil {
		return fmt.Errorf("read %s back: %w", path, err)
	}
	named := 0
	for _, r := range rules.Rules {
		if strings.Contains(r.Name, "-by-name") {
			named++
		}
	}
	words := fmt.Sprintf("%s was written: %s, %s, %d of them by name.\nRead it, then see that the roll call agrees: rolecall reconcile --dry-run", path, count(len(rules.Teams), "team"), count(len(rules.Rules), "rule"), named)
	return say(t, map[string]any{"file": path, "teams": len(rules.Teams), "rules": len(rules.Rules), "by_name": named, "sha256": rules.SHA256}, words)
}

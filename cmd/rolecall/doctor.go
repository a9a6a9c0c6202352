package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"rolecall/bot"
	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/policy"
	"rolecall/storage"
)

// examined is one thing that the doctor looked at.
type examined struct {
	Name     string `json:"name"`
	OK       bool   `json:"ok"`
	Detail   string `json:"detail"`
	Optional bool   `json:"optional,omitempty"` // all else works without it: it does not fail the exam
}

func doctorCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Look at everything around it: scopes, channels, the key's rights, the policy's teams, the clock",
		Long:  "Changes nothing. Exits 7 with a line for each thing that is wrong and what to do about it. What it can do without, it says, and lets pass.",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(needDatabase, needPolicy, needPagerDuty, needSlack, needListen, needIntake, needClock)
			if err != nil {
				return err
			}
			return printExam(t, examine(cmd.Context(), t, cfg))
		},
	}
}

func printExam(t *terminal, exam []examined) error {
	var wrong int
	for _, e := range exam {
		if !e.OK && !e.Optional {
			wrong++
		}
	}
	if t.json {
		if err := printJSON(t.out, exam); err != nil {
			return err
		}
	} else if err := printExamTable(t, exam); err != nil {
		return err
	}
	if wrong > 0 {
		return coded(exitUnwell, fmt.Errorf("%d of %d checks failed", wrong, len(exam)))
	}
	return nil
}

func printExamTable(t *terminal, exam []examined) error {
	rows := make([][]string, len(exam))
	for i, e := range exam {
		rows[i] = []string{e.mark(), e.Name, e.Detail}
	}
	return printTable(t.out, []string{"", "WHAT", "DETAIL"}, rows)
}

func (e examined) mark() string {
	switch {
	case e.OK:
		return "ok"
	case e.Optional:
		return "without"
	default:
		return "WRONG"
	}
}

func examine(ctx context.Context, t *terminal, cfg config) []examined {
	exam := []examined{examineDatabase(ctx, cfg), examineIntake(cfg)}
	rules, err := policy.Load(cfg.Policy)
	if err != nil {
		return append(exam, examined{Name: "policy", OK: false, Detail: err.Error()})
	}
	exam = append(exam, examineRules(rules))
	exam = append(exam, examinePagerDuty(ctx, t, cfg, rules)...)
	secrets, err := cfg.slackSecrets()
	if err != nil {
		return append(exam, examined{Name: "slack token", OK: false, Detail: err.Error()})
	}
	for _, c := range bot.Examine(ctx, secrets, cfg.SlackAPIUrl, &http.Client{Timeout: slackDeadline}, rules) {
		exam = append(exam, examined{Name: c.Name, OK: c.OK, Detail: c.Detail})
	}
	return exam
}

func examineDatabase(ctx context.Context, cfg config) examined {
	db, err := openDatabase(ctx, cfg.Database, storage.Command, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return examined{Name: "database", OK: false, Detail: err.Error()}
	}
	seq, _, err := db.Head(ctx)
	if err = errors.Join(err, db.Close()); err != nil {
		return examined{Name: "database", OK: false, Detail: err.Error()}
	}
	return examined{Name: "database", OK: true, Detail: fmt.Sprintf("%s, up to date, %d lines in the record", named(cfg.Database), seq)}
}

func examineIntake(cfg config) examined {
	switch secrets, err := cfg.webhookSecrets(); {
	case err != nil:
		return examined{Name: "webhook", OK: false, Detail: err.Error()}
	case len(secrets) == 0:
		return examined{Name: "webhook", OK: true, Detail: "off: ROLECALL_WEBHOOK_SECRET is not set; notices can still come by rolecall roster import"}
	case len(secrets) == 1:
		return examined{Name: "webhook", OK: true, Detail: "on, with one secret"}
	default:
		return examined{Name: "webhook", OK: true, Detail: fmt.Sprintf("on, with %d secrets", len(secrets))}
	}
}

func examineRules(rules lifecycle.Policy) examined {
	if failures := policy.Test(rules); len(failures) > 0 {
		return examined{Name: "policy", OK: false, Detail: fmt.Sprintf("%d of its own tests fail; see rolecall policy test", len(failures))}
	}
	return examined{Name: "policy", OK: true, Detail: fmt.Sprintf("%s, %s, sha256 %.12s…", count(len(rules.Rules), "rule"), count(len(rules.Teams), "team"), rules.SHA256)}
}

func examinePagerDuty(ctx context.Context, t *terminal, cfg config, rules lifecycle.Policy) []examined {
	pd, err := pagerduty.New(cfg.pagerDuty(stderrLogger(t)))
	if err != nil {
		return []examined{{Name: "pagerduty", Detail: err.Error()}}
	}
	can, err := pd.Capabilities(ctx)
	if err != nil {
		return []examined{{Name: "pagerduty", Detail: err.Error() + "; look at the network, ROLECALL_PAGERDUTY_TOKEN (or the OAuth app's variables) and ROLECALL_PAGERDUTY_API_URL"}}
	}
	exam := []examined{examineClock(can.ClockSkew)}
	for _, c := range can.Checks {
		exam = append(exam, examined{Name: "pagerduty " + c.Name, OK: c.OK, Detail: c.Detail, Optional: c.Optional})
	}
	if _, err := policy.NewLive(rules, pd.Teams).Current(ctx); err != nil {
		return append(exam, examined{Name: "policy's teams", OK: false, Detail: err.Error()})
	}
	return append(exam, examined{Name: "policy's teams", OK: true, Detail: "each is exactly one team in PagerDuty"})
}

// Signatures are refused beyond five minutes, by Slack's rule and ours.
const skewAllowed = 2 * time.Minute

func examineClock(skew time.Duration) examined {
	if skew.Abs() > skewAllowed {
		return examined{Name: "clock", OK: false, Detail: fmt.Sprintf("this machine's clock is %s off PagerDuty's; signed requests will be refused", skew.Abs())}
	}
	return examined{Name: "clock", OK: true, Detail: fmt.Sprintf("within %s of PagerDuty's", skew.Abs().Round(time.Second))}
}

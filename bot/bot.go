// Package bot holds the conversations in Slack: it draws what the house wants
// decided, and turns what people press, type and open into one call of the domain.
package bot

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"rolecall/lifecycle"
)

// Secrets are what Slack gave the app. AppToken makes it Socket Mode,
// SigningSecret makes it HTTP; exactly one of the two is set.
type Secrets struct {
	BotToken      string
	AppToken      string
	SigningSecret string
}

// Config is all that a Bot needs.
type Config struct {
	Secrets Secrets
	APIURL  string       // ends in "/"; https://slack.com/api/ when empty
	Client  *http.Client // with a deadline of its own
	// Replicas is how many processes share the app token, this one among them; 0 is 1.
	Replicas int
	// CountAgain is how long after an odd count of connections Slack is asked for
	// another; two minutes when 0.
	CountAgain time.Duration

	Approvals *lifecycle.Approvals
	Directory *lifecycle.Directory
	Desk      *lifecycle.Desk
	Digests   *lifecycle.Digests
	Matcher   Matcher
	Brakes    Brakes
	Sources   Sources
	Absences  Absences
	Reviews   Reviews
	Groups    Groups
	Planner   Wisher
	Policies  lifecycle.PolicySource
	Tallies   lifecycle.TallyStore
	Store     Store
	// RollCall asks for a roll call in the name of who asked; it returns at once.
	RollCall func(ctx context.Context, by lifecycle.Actor) error

	Mode     lifecycle.Mode
	Location *time.Location // in which times are said
	Now      func() time.Time
	Log      *slog.Logger
}

// Store is where the bot remembers what it has sent.
type Store interface {
	lifecycle.Recorder
	// Request returns the request, or lifecycle.ErrNotFound.
	Request(ctx context.Context, id lifecycle.RequestID) (lifecycle.Request, error)
	// Hold returns the hold, or lifecycle.ErrNotFound.
	Hold(ctx context.Context, id lifecycle.HoldID) (lifecycle.Hold, error)
	// RemovalsOf returns every removal that names the hold, of every state, the oldest first.
	RemovalsOf(ctx context.Context, id lifecycle.HoldID) ([]lifecycle.Removal, error)
	// Message returns the message with that key, or lifecycle.ErrNotFound.
	Message(ctx context.Context, key string) (lifecycle.Message, error)
	// Messages returns every message about the request, in the order in which they were first intended.
	Messages(ctx context.Context, id lifecycle.RequestID) ([]lifecycle.Message, error)
	// Original returns what was kept for the change before it was made, or lifecycle.ErrNotFound.
	Original(ctx context.Context, id lifecycle.ChangeID) (lifecycle.Original, error)
	// SaveMessage stores m under its key, replacing what was known of it.
	SaveMessage(ctx context.Context, m lifecycle.Message, e lifecycle.AuditEvent, next ...lifecycle.Job) error
}

package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
	"rolecall/lifecycle/intake/okta"
	"rolecall/lifecycle/intake/scim"
	"rolecall/lifecycle/intake/secevent"
	"rolecall/storage"
)

// doors are the secrets of the intakes, as they are now, and where Okta is read.
// A door without its secret is off.
type doors struct {
	webhook      func() ([]intake.Secret, error)
	scim         func() ([]sender, error)
	roster       func() ([]sender, error)
	okta         func() ([]string, error)
	oktaURL      string // "": what its hook has lost is not read
	oktaToken    func() (string, error)
	oktaSchedule lifecycle.Schedule
	issuers      []secevent.Issuer
}

// oktaReadAfter is how long after an event without values what it speaks of is
// read: a profile is often saved several times in a row.
const oktaReadAfter = 30 * time.Second

// intakes are the doors, each of which only writes facts.
type intakes struct {
	webhook *intake.Handler
	roster  *intake.Rosters
	ledger  *intake.Ledger
	scim    *scim.Handler
	hook    *okta.Hook
	resync  *okta.Resync // nil: off
	events  *secevent.Receiver
}

func newIntakes(s settings, f flows, db *storage.DB) (is intakes, err error) {
	d := s.doors
	is.webhook = intake.New(intake.Config{Inbox: f.inbox, Sources: f.sources, Secrets: orNoneOf(d.webhook), Now: time.Now, Log: s.log})
	is.ledger = intake.NewLedger(f.inbox, time.Now, s.log)
	is.roster = intake.NewRosters(intake.RosterConfig{Snapshots: f.snapshots, Senders: rosterTokens(d.roster), Ledger: is.ledger, Dir: besides(s.database), Now: time.Now, Log: s.log})
	is.scim = scim.New(scim.Config{Provisioning: f.provisioning, Store: db, Inbox: f.inbox, Clients: scimClients(d.scim), Sources: f.sources, Now: time.Now, Log: s.log})
	hook := okta.Config{Inbox: f.inbox, Sources: f.sources, Secrets: orNoneOf(d.okta), Now: time.Now, Log: s.log}
	if d.oktaURL != "" {
		hook.ResyncAfter = oktaReadAfter
		is.resync, err = okta.NewResync(okta.ResyncConfig{
			Inbox: f.inbox, Sources: f.sources, Cursors: db, URL: d.oktaURL, Token: d.oktaToken, Client: &http.Client{Timeout: oktaDeadline}, Groups: true, Now: time.Now, Log: s.log,
		})
		if err != nil {
			return is, fmt.Errorf("set up the reading of Okta: %w", err)
		}
	}
	is.hook = okta.NewHook(hook)
	is.events = secevent.New(secevent.Config{Inbox: f.inbox, Sources: f.sources, Issuers: d.issuers, Client: &http.Client{Timeout: oktaDeadline}, Now: time.Now, Log: s.log})
	return is, nil
}

const oktaDeadline = 10 * time.Second

// orNoneOf returns f, or what returns nothing where there is none.
func orNoneOf[T any](f func() ([]T, error)) func() ([]T, error) {
	if f == nil {
		return func() ([]T, error) { return nil, nil }
	}
	return f
}

func scimClients(senders func() ([]sender, error)) func() ([]scim.Client, error) {
	return func() ([]scim.Client, error) {
		all, err := orNoneOf(senders)()
		clients := make([]scim.Client, len(all))
		for i, s := range all {
			clients[i] = scim.Client{Name: s.name, TokenSHA256: s.tokens}
		}
		return clients, err
	}
}

// besides returns where a roster may be kept while it is read: beside the SQLite
// file, because the rest of a container may be read-only; "" with PostgreSQL.
func besides(database string) string {
	if strings.Contains(database, "://") {
		return ""
	}
	return filepath.Dir(database)
}

func rosterTokens(senders func() ([]sender, error)) func() ([]intake.RosterSender, error) {
	return func() ([]intake.RosterSender, error) {
		all, err := orNoneOf(senders)()
		from := make([]intake.RosterSender, len(all))
		for i, s := range all {
			from[i] = intake.RosterSender{Source: s.name, TokenSHA256: s.tokens}
		}
		return from, err
	}
}

// route hangs each door where it is.
func (is intakes) route(mux *http.ServeMux) {
	mux.Handle(intake.RouteLifecycle, is.webhook)
	mux.Handle(intake.RouteFindings, is.webhook)
	mux.Handle(intake.RouteRoster, is.roster)
	mux.Handle(scim.Route, is.scim)
	mux.Handle(okta.Route, is.hook)
	mux.Handle(secevent.Route, is.events)
}

// work reads Okta on its schedule, and when an event asks for it.
func (is intakes) work(db *storage.DB, d doors) {
	db.Handle(lifecycle.JobResync, func(ctx context.Context, _ lifecycle.Attempt) error {
		if is.resync == nil { // it was asked for while there was something to read with
			return nil
		}
		return is.resync.Run(ctx)
	})
	if is.resync != nil {
		db.Every("okta", d.oktaSchedule, lifecycle.Job{Kind: lifecycle.JobResync, Ref: okta.Source}, true)
	}
}

// flush writes what was counted of refusals and is not on the record yet.
func (is intakes) flush(ctx context.Context) {
	is.webhook.Flush(ctx)
	is.scim.Flush(ctx)
	is.hook.Flush(ctx)
	is.ledger.Settle(ctx, true)
	is.events.Flush(ctx)
}

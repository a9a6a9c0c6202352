package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/policy"
	"rolecall/storage"
)

// policyLooks is how often the policy file is looked at: somebody who has merged
// a change waits for it.
const policyLooks = 5 * time.Second

// takePolicy takes the policy in force, or the file where none was yet.
func (h *service) takePolicy(ctx context.Context) error {
	text, err := os.ReadFile(h.policy)
	if err != nil {
		return coded(exitUsage, fmt.Errorf("read policy: %w", err))
	}
	h.policies = lifecycle.NewPolicySwitch(h.db, h.flows.brakes, h.flows.directory, policy.Reader(h.policy), h.pd.Teams, time.Now)
	written, err := h.policies.Start(ctx, string(text))
	if _, wrong := errors.AsType[policy.Mistakes](err); wrong {
		return coded(exitUsage, err)
	}
	if err != nil {
		return fmt.Errorf("take the policy in force: %w", err)
	}
	h.live = policy.NewLive(written, h.pd.Teams)
	h.terms = lifecycle.NewTerms(h.live, h.db, time.Now)
	return nil
}

// Current returns the policy in force, with what runs for a time and who is in its
// groups. The flows ask the service for it, because it is they who say which policy
// it begins with.
func (h *service) Current(ctx context.Context) (lifecycle.Policy, error) { return h.terms.Current(ctx) }

// Written returns the policy in force as it is written.
func (h *service) Written() lifecycle.Policy { return h.live.Written() }

// watchPolicy puts a changed file in force, or says why not, until ctx ends. A
// hang-up signal has it looked at once.
func (h *service) watchPolicy(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	h.live.Watch(ctx, policy.Watch{Path: h.policy, Every: h.looks, Now: hangup, Switch: h.policies, Log: h.log})
}

// inForce returns the policy that a command goes by: the one in force where there
// is one, because a file may wait for people, and needs no file then; else the file.
func inForce(ctx context.Context, db *storage.DB) (lifecycle.Policy, error) {
	in, err := db.PolicyInForce(ctx)
	if isNotFound(err) {
		cfg, err := loadConfig(needPolicy)
		if err != nil {
			return lifecycle.Policy{}, err
		}
		rules, err := policy.Load(cfg.Policy)
		return rules, coded(exitUsage, err)
	}
	if err != nil {
		return lifecycle.Policy{}, fmt.Errorf("look up the policy in force: %w", err)
	}
	rules, err := policy.Parse("the policy in force", []byte(in.Text))
	if err != nil {
		return rules, fmt.Errorf("read the policy in force, which `rolecall serve` has taken: %w", err)
	}
	return rules, nil
}

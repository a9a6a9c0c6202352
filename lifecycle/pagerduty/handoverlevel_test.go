package pagerduty_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// rulesLack is a PagerDuty that gets no such fields of the levels of a policy.
func rulesLack(fields ...string) *rewriter {
	return &rewriter{
		when: func(req *http.Request) bool {
			return req.Method == http.MethodPut && strings.HasPrefix(req.URL.Path, "/escalation_policies/")
		},
		change: func(body map[string]any) {
			for _, r := range body["escalation_policy"].(map[string]any)["escalation_rules"].([]any) {
				for _, f := range fields {
					delete(r.(map[string]any), f)
				}
			}
		},
	}
}

// Levels are told apart by their place: whether PagerDuty keeps the ids that it is sent is not known.
func TestUndoWhereLevelsGetNewIDs(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.Transport = rulesLack("id") })
	o := w.handover(w.level(2), w.cy)
	var k keeper
	k.keep(&o)
	was := w.policyNow()
	w.done(t, o, 1)
	if w.policyNow().Rules[0].ID == was.Rules[0].ID {
		t.Fatal("the levels have their old ids, so there is nothing to see here")
	}
	w.undone(t, k.undo(o))
	is := w.policyNow()
	for i := range is.Rules {
		is.Rules[i].ID = was.Rules[i].ID
	}
	same(t, was, is)
}

// A PagerDuty that makes more of a handover than it should is told on.
func TestLevelThatComesOutOtherwise(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{}, quick, func(cfg *pagerduty.Config) {
		cfg.Transport, cfg.Patience = rulesLack("id", "escalation_rule_assignment_strategy"), 10*time.Millisecond
	})
	_, err := w.client.Apply(t.Context(), w.handover(w.level(2), w.cy))
	const want = "Cy Cedar has level 2 of Core <Crit> & more now, but PagerDuty shows something else about the escalation policy Core <Crit> & more changed with it."
	if !errors.Is(err, lifecycle.ErrConflict) || !strings.Contains(lifecycle.ReasonOf(err), want) {
		t.Errorf("apply: %v,\nwant %q", err, want)
	}
}

// A level is left to a schedule only while somebody is in that.
func TestLevelIsNotLeftToAnEmptySchedule(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{})
	w.setLevel(0, pagerdutytest.ScheduleTarget(w.weekly.ID), pagerdutytest.UserTarget(w.ann.ID))
	o := w.handover(w.level(1), pagerdutytest.User{ID: lifecycle.NoSuccessor})
	s := w.weekly
	s.Overrides = nil
	for i := range s.Layers {
		s.Layers[i].UserIDs = []string{w.ann.ID}
	}
	must(w.fake.SetScheduleAs(olga, s))
	_, err := w.client.Apply(t.Context(), o)
	if !errors.Is(err, lifecycle.ErrConflict) || !strings.Contains(lifecycle.ReasonOf(err), "Nobody but Ann Ash is on level 1") || len(w.fake.Writes()) > 0 {
		t.Errorf("apply: %v after %+v, want it refused", err, w.fake.Writes())
	}
	s.Layers[1].UserIDs = []string{w.ann.ID, w.dan.ID}
	must(w.fake.SetScheduleAs(olga, s))
	w.done(t, o, 1)
}

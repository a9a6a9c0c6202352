package pagerduty

import (
	"fmt"
	"net/http"
	"slices"

	"rolecall/lifecycle"
)

// A feature is something of PagerDuty's that not every plan and not every key has, and what is missing without it.
type feature struct {
	what    string // as in "This plan has no …"
	scope   string // which a scoped OAuth app needs for it
	who     string // whose key may use it, where that is not any
	without string // what cannot be done, as the end of a sentence
}

// The features. Sources of the scopes and of who may: PagerDuty's OpenAPI document. Shift-based schedules name no scope
// there; by PagerDuty's upgrade guide those of schedules serve.
func featureAudit() feature {
	return feature{what: "audit records", scope: scopeAudit, who: "an account key, or the key of an admin or the owner", without: without(scopeAudit)}
}

func featureAnalytics() feature {
	return feature{what: "analytics of users", scope: scopeAnalytics, who: "a key that is not read-only", without: without(scopeAnalytics)}
}

func featureShifts() feature {
	return feature{what: "shift-based schedules", scope: "schedules.read", without: "who has a place in a shift-based schedule cannot be seen"}
}

func featureSessions() feature {
	return feature{what: "list of sessions", scope: scopeSessions, without: without(scopeSessions)}
}

func featureCalendars() feature {
	return feature{what: "addresses of calendar feeds", scope: "users.read", without: "whether a leaver's calendar feed was renewed cannot be seen"}
}

func featureLicences() feature {
	return feature{what: "list of licences", scope: scopeLicences, without: without(scopeLicences)}
}

func featureOnCalls() feature {
	return feature{what: "list of on-calls", scope: scopeOnCalls, without: without(scopeOnCalls)}
}

// explain turns PagerDuty's no to the feature into a Refusal that says what is missing and what follows from it. All else
// is explained as ever. Lacking is what an app was not granted.
func (f feature) explain(err error, lacking []string) error {
	e, is := asAnswer(err)
	if !is || e.status != http.StatusPaymentRequired && e.status != http.StatusForbidden && !e.gone() {
		return explain(err)
	}
	return &noError{refusal: &lifecycle.Refusal{Kind: lifecycle.ErrForbidden, Reason: f.refusal(e, lacking)}, answer: e}
}

func (f feature) refusal(e *answerError, lacking []string) string {
	switch {
	case e.status != http.StatusForbidden:
		return fmt.Sprintf("This PagerDuty plan has no %s: %s.", f.what, f.without)
	case slices.Contains(e.needs, f.scope) || slices.Contains(lacking, f.scope):
		return fmt.Sprintf("rolecall's PagerDuty app lacks %s: %s. Give it to the app in PagerDuty, under Integrations, App Registration.", f.scope, f.without)
	case f.who != "":
		return fmt.Sprintf("rolecall's PagerDuty key may not read its %s, which takes %s: %s. PagerDuty says %s.", f.what, f.who, f.without, e.quote())
	default:
		return fmt.Sprintf("rolecall's PagerDuty key may not read its %s: %s. PagerDuty says %s.", f.what, f.without, e.quote())
	}
}

package pagerduty

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"
)

const (
	auditSpan  = 31 * 24 * time.Hour // the most that one call may ask about
	auditKept  = 12                  // months that records are kept
	auditStamp = "2006-01-02T15:04:05.000Z07:00"

	refUser = "user_reference"
	refTeam = "team_reference"
	refApp  = "app_reference"
)

// An auditRecord is one of PagerDuty's audit records. Nearly all of it may be missing. Source: OpenAPI schema AuditRecord.
type auditRecord struct {
	ID      string    `json:"id"`
	At      time.Time `json:"execution_time"`
	Context struct {
		Request string `json:"request_id"`
	} `json:"execution_context"`
	Actors []auditRef `json:"actors"`
	Method struct {
		Type  string `json:"type"`
		Token string `json:"truncated_token"` // its last four characters
	} `json:"method"`
	Root    auditRef `json:"root_resource"`
	Action  string   `json:"action"` // create, update or delete
	Details struct {
		Resource   auditRef        `json:"resource"`
		Fields     []auditField    `json:"fields"`
		References []auditRelation `json:"references"`
	} `json:"details"`
}

type auditRef struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Summary string `json:"summary"`
}

// An auditField is an attribute before and after. Those that did not change may come too.
type auditField struct {
	Name   string     `json:"name"`
	Before auditValue `json:"before_value"`
	After  auditValue `json:"value"`
}

// An auditRelation is who was added to a thing and who was taken from it.
type auditRelation struct {
	Name    string     `json:"name"`
	Added   []auditRef `json:"added"`
	Removed []auditRef `json:"removed"`
}

// An auditValue is text by the document. What else comes is kept as it came, so that one odd field spoils no history.
type auditValue string

// UnmarshalJSON never fails on JSON.
func (v *auditValue) UnmarshalJSON(b []byte) error {
	var s *string
	switch err := json.Unmarshal(b, &s); {
	case err != nil:
		*v = auditValue(b)
	case s == nil:
		*v = ""
	default:
		*v = auditValue(*s)
	}
	return nil
}

// An auditWindow is a stretch of time that one call may ask about.
type auditWindow struct{ since, until time.Time }

// auditWindows cuts a stretch into pieces that PagerDuty lets one ask about, oldest first, of which each begins where the one
// before ends: a record that falls on a cut comes twice. What PagerDuty has forgotten is left out. PagerDuty's records
// count milliseconds, so a stretch begins and ends at whole ones.
func auditWindows(since, until, now time.Time) []auditWindow {
	since, until = since.UTC().Truncate(time.Millisecond), until.UTC().Add(time.Millisecond-1).Truncate(time.Millisecond)
	if kept := now.UTC().AddDate(0, -auditKept, 0).Truncate(time.Millisecond); since.Before(kept) {
		since = kept
	}
	var all []auditWindow
	for since.Before(until) {
		end := since.Add(auditSpan)
		if end.After(until) {
			end = until
		}
		all = append(all, auditWindow{since, end})
		since = end
	}
	return all
}

// records returns every audit record about users and teams since then until then, oldest first, each once. Both kinds are
// asked for in one call: PagerDuty's own scripts repeat a parameter of that form.
func (c *Client) records(ctx context.Context, since, until time.Time) ([]auditRecord, error) {
	var all []auditRecord
	seen := map[string]bool{}
	for _, s := range auditWindows(since, until, c.now()) {
		some, err := rows[auditRecord](ctx, c.sweep, "/audit/records", url.Values{
			"since": {s.since.Format(auditStamp)}, "until": {s.until.Format(auditStamp)}, "root_resource_types[]": {"users", "teams"},
		})
		if err != nil {
			return nil, featureAudit().explain(err, c.lacking())
		}
		for _, r := range slices.Backward(some) {
			if r.ID == "" || r.At.IsZero() {
				return nil, fmt.Errorf("PagerDuty's audit record %q has no id or no time", r.ID)
			}
			if !seen[r.ID] {
				all = append(all, r)
			}
			seen[r.ID] = true
		}
	}
	slices.SortStableFunc(all, func(x, y auditRecord) int { return x.At.Compare(y.At) })
	return all, nil
}

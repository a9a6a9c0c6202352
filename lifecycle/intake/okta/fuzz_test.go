package okta

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"rolecall/lifecycle"
)

// Whatever is delivered: no fault, and either every event that says something is
// kept, or it is refused and on the record.
func FuzzDelivery(f *testing.F) {
	f.Add([]byte(envelopeOf(eventOf("user.lifecycle.deactivate", "u1", 1, "00uMINA"), eventOf("user.account.update_profile", "u2", 2, "00uBEN"))))
	f.Add([]byte(strings.Replace(envelopeOf(eventOf("user.lifecycle.suspend", "u1", 1, "00uMINA")), `"target":[`, `"target":[null,`, 1)))
	f.Add([]byte(envelopeOf("null", "1", `{"uuid":"\u0000","published":"0001-01-01T00:00:00Z"}`)))
	f.Add([]byte(`{"eventType":"com.okta.event_hook","EventType":"x","data":{"events":[{}]},"data":null}`))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		h := newHouse(t)
		w := h.send(h.signed(string(body)))
		refused := len(h.store.lines(lifecycle.EventNoticeRefused))
		switch w.Code {
		case http.StatusNoContent:
			if refused != 0 || !json.Valid(body) || !utf8.Valid(body) {
				t.Errorf("let in, with the lines %q", h.store.lines(lifecycle.EventNoticeRefused))
			}
		case http.StatusUnprocessableEntity:
			if refused != 1 || !json.Valid(w.Body.Bytes()) {
				t.Errorf("refused with %q, and %d lines", w.Body, refused)
			}
		default:
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		for _, fact := range h.store.facts {
			if fact.Kind != lifecycle.FactStatus || fact.Key == "" || fact.EventID == "" || !utf8.ValidString(fact.Person.Name) || strings.ContainsRune(fact.Person.Name, 0) {
				t.Errorf("kept %+v", fact)
			}
		}
	})
}

package lifecycle

import "time"

// A Message is one that the house has sent, or is about to send, in Slack.
// Its Key says what it is, so that a step repeated after a crash finds the
// message it sent instead of sending another.
type Message struct {
	Key      string    `json:"key"` // such as "card/req_…/C0PAYMENTS"
	Request  RequestID `json:"request,omitempty"`
	Channel  string    `json:"channel"`
	TS       string    `json:"ts"`       // "" while it is not known to have been sent
	Revision int       `json:"revision"` // of the request it shows
	SHA256   string    `json:"sha256"`   // of what was shown
	Intended time.Time `json:"intended"` // when it was first about to be sent
}

package lifecycle

import "time"

// A Question is one that somebody who may decide has asked before they do.
type Question struct {
	By         string    `json:"by"` // folded address
	Text       string    `json:"text"`
	At         time.Time `json:"at"`
	To         string    `json:"to,omitempty"` // who can answer: the requester, the subject or their manager; "" is whoever reads the thread
	Answer     string    `json:"answer,omitempty"`
	AnsweredBy string    `json:"answered_by,omitempty"`
	AnsweredAt time.Time `json:"answered_at,omitzero"`
	Via        Via       `json:"via"`
}

// An Assignment hands one request from somebody who may decide it to somebody else.
type Assignment struct {
	From   string    `json:"from"` // folded addresses
	To     string    `json:"to"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
	Via    Via       `json:"via"`
}

// A Snooze lets somebody not be reminded of a request until then. It moves no deadline.
type Snooze struct {
	By    string    `json:"by"` // folded address
	Until time.Time `json:"until"`
}

package bot

import (
	"time"

	"rolecall/lifecycle"
)

// A viewer is who a card is drawn for: the zero viewer is a channel, else it
// is the approver with that address, in a direct message or on their Home tab.
type viewer struct{ Email string }

// newCard returns what the card of r says to v. It is pure; names are the
// Slack users of addresses, where they are known.
func newCard(r lifecycle.Request, p lifecycle.Policy, now time.Time, loc *time.Location, v viewer, names map[string]lifecycle.SlackID) cardData {
	return cardData{ID: r.ID, Revision: r.Revision}
}

// cardData is what one card says, in the order in which it is read. Its text
// is escaped already.
type cardData struct {
	ID       lifecycle.RequestID
	Revision int
}

// message draws the card.
func (c cardData) message() message { return message{} }

package slacktest

import "errors"

// What keeps a person from doing something, to be matched with errors.Is.
var (
	// ErrImpossible: the person could not do it: nothing to press there, no such option, nothing they can see.
	ErrImpossible = errors.New("not possible for this person")
	// ErrUnreachable: no app is connected and no request URL is set, or the app cannot be reached there.
	ErrUnreachable = errors.New("the app cannot be reached")
	// ErrNotAcknowledged: the app did not acknowledge in time, or answered with an error. The person sees a warning.
	ErrNotAcknowledged = errors.New("the app did not acknowledge")
	// ErrTrouble: the app acknowledged with something that Slack does not accept. The person sees
	// "We had some trouble connecting. Try again?".
	ErrTrouble = errors.New("we had some trouble connecting")
)

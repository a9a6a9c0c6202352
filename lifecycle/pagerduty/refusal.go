package pagerduty

import (
	"fmt"
	"net/http"

	"rolecall/lifecycle"
)

// explain turns PagerDuty's no into a Refusal for people, if err is one. Everything else passes as it is: it may pass
// with time. So does a 401: what is wrong is the key, and not what was asked for.
func explain(err error) error {
	e, is := asAnswer(err)
	if !is || e.status == http.StatusUnauthorized || e.status == http.StatusTooManyRequests || e.status >= 500 || e.says("could not be locked") {
		return err
	}
	kind, sentence := e.sentence()
	if sentence == "" {
		return err
	}
	return &noError{refusal: &lifecycle.Refusal{Kind: kind, Reason: sentence}, answer: e}
}

// A noError is a Refusal that keeps the answer it was made of, for the log.
type noError struct {
	refusal *lifecycle.Refusal
	answer  *answerError
}

func (e *noError) Error() string   { return e.refusal.Reason + " [" + e.answer.Error() + "]" }
func (e *noError) Unwrap() []error { return []error{e.refusal, e.answer} }

// sentence says the answer in words that a person can act on. The words of PagerDuty that it goes by were quoted by users
// of its Terraform provider and its Go library; what it does not know, it quotes.
func (e *answerError) sentence() (kind error, sentence string) { //nolint:staticcheck // ST1008: the kind is what is returned, not a failure
	switch {
	case e.status == http.StatusPaymentRequired:
		return lifecycle.ErrForbidden, "This PagerDuty plan does not include what that takes" + e.because() + "."
	case e.status == http.StatusForbidden && len(e.needs) > 0:
		return lifecycle.ErrForbidden, fmt.Sprintf("rolecall's PagerDuty app lacks the scope %s. Give it to the app in PagerDuty, under Integrations, App Registration, and try again.", join(e.needs))
	case e.status == http.StatusForbidden:
		return lifecycle.ErrForbidden, "PagerDuty does not let rolecall's key do that" + e.because() + ". A read-only key cannot make changes."
	case e.code == 1008:
		return lifecycle.ErrInvalid, "PagerDuty knows no user with the address that rolecall acts as. Set ROLECALL_PAGERDUTY_FROM to the address of one."
	case e.says(`in the "From" header`):
		return lifecycle.ErrInvalid, "PagerDuty wants to know as whom accounts are created. Set ROLECALL_PAGERDUTY_FROM to the address of a PagerDuty user."
	case e.says("License is not available"):
		return lifecycle.ErrConflict, "PagerDuty has no free licence seat for that role. Free a seat or buy one, and try again."
	case e.says("Email has already been taken"):
		return lifecycle.ErrDuplicate, "PagerDuty already has a user with that address."
	case e.says("Stakeholders cannot be added to schedules"):
		return lifecycle.ErrConflict, "PagerDuty lets no stakeholder be on call. Take them off their schedules first."
	case e.gone():
		return lifecycle.ErrNotFound, "PagerDuty no longer has what that is about. It was deleted in the meantime."
	case e.status == http.StatusNotFound:
		return nil, "" // not PagerDuty's word that something is gone: a wrong address, or something in between
	default:
		return lifecycle.ErrInvalid, fmt.Sprintf("PagerDuty refused (%d)%s.", e.status, e.because())
	}
}

// because quotes PagerDuty after a colon, or says that it gave no reason.
func (e *answerError) because() string {
	if len(e.said) == 0 {
		return ", and it does not say why"
	}
	return ": " + e.quote()
}

func (e *answerError) quote() string {
	switch len(e.said) {
	case 0:
		return "no reason"
	case 1:
		return "“" + e.said[0] + "”"
	default: // the message says what kind of refusal it is, the errors say why
		return "“" + clean(join(e.said[1:]), 300) + "”"
	}
}

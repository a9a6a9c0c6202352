package pagerdutytest

import (
	"net/http"
	"strings"
)

// obj is a JSON object on its way out.
type obj = map[string]any

// A reply is an answer that is not yet on the wire.
type reply struct {
	status  int
	body    any    // JSON, or nothing when nil
	text    string // used instead of body when it is not empty
	refusal string // why nothing was done; empty when it was
}

func ok(body any) reply { return reply{status: http.StatusOK, body: body} }

func noContent() reply { return reply{status: http.StatusNoContent} }

// refuse answers with PagerDuty's error envelope. Errors are left out of it when there are none.
func refuse(status, code int, message string, errs ...string) reply {
	e := obj{"message": message, "code": code}
	why := message
	if len(errs) > 0 {
		e["errors"] = errs
		why = errs[0]
	}
	return reply{status: status, body: obj{"error": e}, refusal: why}
}

// invalid is 400 with code 2001, PagerDuty's answer to most bad input.
func invalid(errs ...string) reply {
	return refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", errs...)
}

func notFound() reply { return refuse(http.StatusNotFound, 2100, "Not Found") }

func unauthorized() reply { return refuse(http.StatusUnauthorized, 2006, "Authentication failed") }

func forbidden(errs ...string) reply {
	return refuse(http.StatusForbidden, 2010, "Access Denied", errs...)
}

// needsAbility is 402: the plan does not include it.
func needsAbility(why string) reply {
	return refuse(http.StatusPaymentRequired, 2014, "Required abilities are unavailable", why)
}

// outOfScope is the 403 of a scoped token: the body says what was needed and what the token has.
func outOfScope(required string, have []string) reply {
	r := forbidden()
	e := r.body.(obj)["error"].(obj)
	e["required_scopes"], e["token_scopes"] = []string{required}, have
	return r
}

// outOfScopeText is the same refusal as it is quoted from PagerDuty. That more than one scope is separated by spaces is a guess.
func outOfScopeText(required string, have []string) reply {
	const message = "Token missing required scopes"
	e := obj{"message": message, "required_scopes": required, "token_scopes": strings.Join(have, " ")}
	return reply{status: http.StatusForbidden, body: obj{"error": e}, refusal: message}
}

// missingFrom is what PagerDuty says to a call that must name its requester.
func missingFrom() reply {
	return invalid(`You must specify a user's email address in the "From" header to perform this action`)
}

func unknownFrom() reply { return refuse(http.StatusBadRequest, 1008, "Requester User Not Found") }

func rateLimited() reply {
	return refuse(http.StatusTooManyRequests, 2020, "Rate Limit Exceeded")
}

// notLocked is the transient refusal of two user writes that overlap.
func notLocked() reply {
	return invalid("License error: Unable to perform request at this time. account could not be locked")
}

func noLicense() reply { return invalid("License error: License is not available") }

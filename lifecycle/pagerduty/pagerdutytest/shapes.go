package pagerdutytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// A Shape is a form that the body of a refusal comes in. PagerDuty documents the first; the others were seen.
type Shape string

// The shapes. Sources: PagerDuty's page on errors; its document's BadRequest; go-pagerduty issues 339 and 478; what
// PagerDuty's Terraform provider calls malformed; its pull request 1027 for the scopes.
const (
	ErrorsList Shape = "errors as a list"
	ErrorsText Shape = "errors as a text"
	ErrorsMap  Shape = "errors as a map"
	NoErrors   Shape = "no errors, only a message"
	ErrorList  Shape = "error as a list"
	ErrorText  Shape = "error as a text"
	PlainText  Shape = "plain text"
	Page       Shape = "a page for people"
	Nothing    Shape = "nothing"
	ScopeText  Shape = "scopes as a text" // of a 403
)

// Shapes returns every shape.
func Shapes() []Shape {
	return []Shape{ErrorsList, ErrorsText, ErrorsMap, NoErrors, ErrorList, ErrorText, PlainText, Page, Nothing, ScopeText}
}

// Refuses answers with a refusal that says text in one of the shapes, and performs nothing. Shapes without a place for the
// code leave it out; with ScopeText, text is the scope that was needed.
func Refuses(status, code int, text string, s Shape) Kind {
	return answers(fmt.Sprintf("%d with %s", status, s), func(w http.ResponseWriter) {
		body, contentType := s.body(status, code, text)
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // a client that has gone reads nothing
	})
}

// body returns the body and its content type.
func (s Shape) body(status, code int, text string) (string, string) {
	envelope := obj{"message": "Invalid Input Provided", "code": code}
	var outer any = envelope
	switch s {
	case PlainText:
		return text, "text/plain; charset=utf-8"
	case Page:
		return "<html><head><title>" + http.StatusText(status) + "</title></head><body>" + text + "</body></html>", "text/html; charset=utf-8"
	case Nothing:
		return "", ""
	case ErrorsList:
		envelope["errors"] = []string{text}
	case ErrorsText:
		envelope["errors"] = text
	case ErrorsMap:
		field, rest, _ := strings.Cut(text, " ")
		envelope["errors"] = obj{field: []string{rest}}
	case NoErrors:
		envelope["message"] = text
	case ErrorList:
		outer = []string{text}
	case ErrorText:
		outer = text
	case ScopeText:
		outer = obj{"message": "Token missing required scopes", "required_scopes": text, "token_scopes": ""}
	}
	b, err := json.Marshal(obj{"error": outer})
	if err != nil {
		panic("pagerdutytest: a refusal cannot be written as JSON: " + err.Error())
	}
	return string(b), "application/json"
}

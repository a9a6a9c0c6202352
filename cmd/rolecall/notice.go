package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"rolecall/lifecycle"
)

// noticeBody returns the CloudEvent that says what p is now, and its id.
func noticeBody(p lifecycle.Person, now time.Time) (body, id string, err error) {
	id = "evt_" + rand.Text()
	b, err := json.Marshal(struct {
		SpecVersion string           `json:"specversion"`
		ID          string           `json:"id"`
		Source      string           `json:"source"`
		Type        string           `json:"type"`
		Time        time.Time        `json:"time"`
		Subject     string           `json:"subject"`
		Data        lifecycle.Person `json:"data"`
	}{"1.0", id, demoSource, "rolecall.identity.v1", now.UTC(), p.EmployeeID, p})
	if err != nil {
		return "", "", fmt.Errorf("encode notice: %w", err)
	}
	return string(b), id, nil
}

package pagerduty

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// pin returns a fingerprint of the texts, in their order.
func pin(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%d:%s,", len(t), t)
	}
	return hex.EncodeToString(h.Sum(nil))[:24]
}

// instant says a time in one way, whatever zone PagerDuty told it in.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10)
}

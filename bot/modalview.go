package bot

import (
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// approveModal asks for the reason of an approval that is not routine. meta is
// what encodeMeta returns, and comes back as the private metadata.
func approveModal(r lifecycle.Request, p lifecycle.Policy, meta string) slack.ModalViewRequest {
	return slack.ModalViewRequest{}
}

// revokeModal is approveModal for a finding.
func revokeModal(r lifecycle.Request, p lifecycle.Policy, meta string) slack.ModalViewRequest {
	return slack.ModalViewRequest{}
}

// denyModal asks for the reason of a no.
func denyModal(r lifecycle.Request, p lifecycle.Policy, meta string) slack.ModalViewRequest {
	return slack.ModalViewRequest{}
}

// keepModal asks why a finding is kept, and until when.
func keepModal(r lifecycle.Request, p lifecycle.Policy, meta string, now time.Time) slack.ModalViewRequest {
	return slack.ModalViewRequest{}
}

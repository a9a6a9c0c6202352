package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// A secret is given as itself or, by NAME_FILE, as the path of a file that
// holds it. It prints as dots everywhere.
type secret struct {
	text string
	file string
}

// Decode takes the secret from its environment variable, for envconfig.
func (s *secret) Decode(text string) error {
	s.text = strings.TrimSpace(text)
	return nil
}

// String returns dots.
func (secret) String() string { return "••••" }

// GoString returns dots.
func (secret) GoString() string { return "••••" }

// LogValue returns dots.
func (secret) LogValue() slog.Value { return slog.StringValue("••••") }

func (s secret) isSet() bool { return s.text != "" || s.file != "" }

func (s secret) required(name string) []string {
	if !s.isSet() {
		return []string{fmt.Sprintf("ROLECALL_%s: is not set (nor ROLECALL_%s_FILE)", name, name)}
	}
	return s.mistakes(name)
}

// mistakes returns what is wrong with how the secret is given.
func (s secret) mistakes(name string) []string {
	switch value, err := s.value(); {
	case s.file == "":
		return nil
	case s.text != "":
		return []string{fmt.Sprintf("ROLECALL_%s: give either the secret or ROLECALL_%s_FILE, not both", name, name)}
	case err != nil:
		return []string{fmt.Sprintf("ROLECALL_%s_FILE: %q cannot be read: %v", name, s.file, cause(err))}
	case value == "":
		return []string{fmt.Sprintf("ROLECALL_%s_FILE: %q is empty", name, s.file)}
	default:
		return nil
	}
}

// value returns the secret as it is now: a file is read each time, so that a
// rotated secret counts without a restart.
func (s secret) value() (string, error) {
	if s.file == "" {
		return s.text, nil
	}
	b, err := os.ReadFile(s.file)
	if err != nil {
		return "", fmt.Errorf("read secret file: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// readSecretFiles notes every ROLECALL_…_FILE.
func (c *config) readSecretFiles() {
	for name, s := range map[string]*secret{
		"SLACK_BOT_TOKEN": &c.SlackBotToken, "SLACK_APP_TOKEN": &c.SlackAppToken, "SLACK_SIGNING_SECRET": &c.SlackSigningSecret,
		"PAGERDUTY_TOKEN": &c.PagerdutyToken, "PAGERDUTY_CLIENT_SECRET": &c.PagerdutyClientSecret, "WEBHOOK_SECRET": &c.WebhookSecret,
		"SCIM_TOKEN": &c.ScimToken, "ROSTER_TOKEN": &c.RosterToken, "OKTA_SECRET": &c.OktaSecret, "OKTA_TOKEN": &c.OktaToken,
	} {
		s.file = os.Getenv(prefix + "_" + name + "_FILE")
	}
}

package bot

// An AppSurface is all that the Slack app must be configured with; manifest.yaml is held to it.
type AppSurface struct {
	Commands  []string
	Shortcuts []string          // callback ids of message shortcuts
	Global    []string          // callback ids of global shortcuts
	Events    []string          // that the bot listens to
	Scopes    map[string]string // bot scope → why it is needed
}

// Surface returns what the bot listens to and what it may do.
func Surface() AppSurface {
	return AppSurface{
		Commands:  []string{Command},
		Shortcuts: []string{ShortcutHistory},
		Global:    []string{ShortcutWish},
		Events:    []string{"app_home_opened"},
		Scopes: map[string]string{
			"commands":          "the slash command and the shortcuts",
			"chat:write":        "cards, reminders, digests and private lines, and their edits",
			"files:write":       "the trend of findings as a picture, in Security's channel",
			"chat:write.public": "cards in public channels that nobody invited the bot to",
			"im:write":          "a direct message has an id only once it is opened, and edits need the id",
			"usergroups:read":   "who is in the user groups that the policy names",
			"users:read":        "whether somebody is a guest, a stranger, a bot or deactivated",
			"users:read.email":  "the address that ties a Slack user to an identity, once",
			"channels:read":     "doctor checks that the public channels of the policy exist",
			"groups:read":       "doctor checks that the private channels of the policy exist",
			"channels:history":  "finding a card again after a crash, in public channels",
			"groups:history":    "finding a card again after a crash, in private channels",
			"im:history":        "finding a card again after a crash, in direct messages",
		},
	}
}

// Package slacktest is a strict stand-in for Slack: one workspace in memory behind a real HTTP and WebSocket server.
//
// It exists so that the bot can be driven as it will be in production, by the real slack-go client and the real
// Socket Mode client, and be told off where Slack would tell it off: Block Kit limits, single-use triggers of three
// seconds, rate limits, the D… id in direct messages, response URLs that run out. What Slack would refuse is refused
// with Slack's own error code and kept in [Workspace.Violations].
//
// A [Workspace] has three sides. The app's side is [Workspace.Handler] (or [Workspace.Start]). The people's side is
// the methods that act as somebody: [Workspace.Press], [Workspace.Submit], [Workspace.Command] and their like; each
// fails where that person could not do it. The observer's side reads what stands in the workspace
// ([Workspace.Messages], [Workspace.Home], [PlainText], [Buttons]) and follows it ([Workspace.Wait],
// [Workspace.Until]).
//
// The package does not import "testing": the demo runs on it too.
package slacktest

"""The five steps: intake, dispatch, receive, route, tend. Each takes a batch, decides, commits, publishes."""

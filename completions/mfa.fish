complete --keep-order --exclusive --command mfa --arguments "(COMPLETE=fish mfactl -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"

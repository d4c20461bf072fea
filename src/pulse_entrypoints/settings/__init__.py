"""Every setting: name, kind, default, environment variable, TOML key, help; in this package and nowhere else.

The option of a field `some_name` is `--some-name`, its TOML key `some_name`, its environment variable
`PULSE_SOME_NAME` unless the field names another. A command has one class of settings, put together by inheritance:
an option that two commands share is declared once. (Without slots, for classes with slots cannot be put together.)
"""

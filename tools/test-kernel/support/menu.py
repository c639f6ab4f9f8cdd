#!/usr/bin/env python3
"""The menus of the test kernel, which are a plain list.

    menu.py CONFIG HEADER FILE...         shows the options, takes lines OPTION=VALUE up to the end of input;
                                          without a CONFIG they begin with the defaults
    menu.py --save FRAGMENT CONFIG FILE...  writes the few options that lead to CONFIG
"""

import os
import sys

from configure import Parser, config_text, holds, read_values, solve, write, write_if_changed


def main(arguments):
    if arguments[0] == "--save":
        _, fragment, config, *files = arguments
        save(fragment, Parser().parse(files), read_values(config))
    else:
        config, header, *files = arguments
        asked = read_values(config) if os.path.exists(config) else {}
        change(config, header, Parser().parse(files), asked)


def change(config, header, symbols, asked):
    for name in settable(symbols, solve(symbols, asked)):
        print(f"CONFIG_{name}={asked.get(name, '')}")
    for line in sys.stdin:
        name, _, value = line.strip().removeprefix("CONFIG_").partition("=")
        asked[name] = value
    write(config, header, symbols, asked)


def save(fragment, symbols, asked):
    goal = solve(symbols, asked)
    few = {}
    for name in settable(symbols, goal):
        if solve(symbols, few)[name] != goal[name]:
            few[name] = goal[name]
    write_if_changed(fragment, config_text({name: symbols[name] for name in few}, goal))


def settable(symbols, values):
    """The symbols that people may set as things are."""
    return [
        name
        for name, symbol in symbols.items()
        if symbol.type and any(holds(condition, values) for _, condition in symbol.prompts)
    ]


main(sys.argv[1:])

"""Agents in rooms: an MCP server over stdio, `lanchat mcp`.

jsonrpc.py reads and writes the protocol's lines, tools.py describes the tools, rules.py limits what an agent may do,
inbox.py keeps what was said, rooms.py joins the rooms, stay.py takes what is said there, call.py and calls.py do
what a tool is asked, and server.py serves stdin.
"""

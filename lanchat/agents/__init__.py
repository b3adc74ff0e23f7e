"""Agents in rooms: an MCP server over stdio, `lanchat mcp`.

jsonrpc.py reads and writes the protocol's lines, tools.py describes the tools, rules.py limits what an agent may do,
inbox.py keeps the messages, rooms.py joins the rooms, stay.py takes the messages of one room, calls.py carries out each
call of a tool (call.py has its arguments), push.py sends messages unasked, and server.py serves stdin.
"""

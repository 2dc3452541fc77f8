"""What every vendor's sandbox shares: the calls it offers, the faults it plays, the ledger it keeps."""

from hub.contract.sandbox.base import Call, Clock, Handler, Sandbox, json_answer, serve, serving, system_clock

__all__ = ["Call", "Clock", "Handler", "Sandbox", "json_answer", "serve", "serving", "system_clock"]

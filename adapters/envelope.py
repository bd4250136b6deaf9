"""The terminal envelope DxpMsg around a message, for access without the client that customs supplies (202205)."""

from base64 import b64encode
from collections.abc import Sequence

from ..messages.chinatime import china_time
from ..messages.codec import load_codec
from ..messages.xml import serialise


def wrap(
    data: bytes,
    *,
    cop_msg_id: str,
    sender: str,
    receivers: Sequence[str],
    created_ms: int,
    message_type: str,
    file_name: str | None = None,
) -> bytes:
    """The bytes of a DxpMsg that carries one whole message.

    ``cop_msg_id`` is the guid of the message, so that CEB900 and DxpRep lead back to it; ``sender`` and the 1 to 5
    ``receivers`` are exchange ids; ``created_ms`` is in milliseconds UTC and written as China time without a zone;
    ``message_type`` is the name of the inner root, such as CEB311Message.
    """
    content = {
        "@ver": "1.0",
        "TransInfo": {
            "CopMsgId": cop_msg_id,
            "SenderId": sender,
            "ReceiverIds": {"ReceiverId": list(receivers)},
            "CreatTime": china_time(created_ms).strftime("%Y-%m-%dT%H:%M:%S"),
            "MsgType": message_type,
        },
        "Data": b64encode(data).decode(),
        "AddInfo": None if file_name is None else {"FileName": file_name},
    }
    return serialise(load_codec().encode("DxpMsg", content))

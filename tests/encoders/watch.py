"""Watches a broadcast by WHEP with aiortc: `watch.py URL` prints what it decoded in four seconds as JSON."""
import asyncio
import json
import sys
import urllib.request
from array import array
from urllib.parse import urljoin

from aiortc import RTCPeerConnection, RTCSessionDescription


async def watch(url: str) -> None:
    pc = RTCPeerConnection()
    seen = {"pictures": 0, "width": 0, "height": 0, "sounds": 0, "loudest": 0}

    async def pictures(track) -> None:
        while True:
            frame = await track.recv()
            seen.update(pictures=seen["pictures"] + 1, width=frame.width, height=frame.height)

    async def sounds(track) -> None:
        while True:
            frame = await track.recv()
            loudest = max(array("h", bytes(frame.planes[0])))
            seen.update(sounds=seen["sounds"] + 1, loudest=max(seen["loudest"], loudest))

    tasks = []

    @pc.on("track")
    def on_track(track) -> None:
        tasks.append(asyncio.ensure_future(pictures(track) if track.kind == "video" else sounds(track)))

    pc.addTransceiver("video", "recvonly")
    pc.addTransceiver("audio", "recvonly")
    await pc.setLocalDescription(await pc.createOffer())
    body = pc.localDescription.sdp.encode()
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/sdp"}, method="POST")
    with urllib.request.urlopen(request) as answer:
        resource = urljoin(url, answer.headers["Location"])
        await pc.setRemoteDescription(RTCSessionDescription(answer.read().decode(), "answer"))
    await asyncio.sleep(4)
    for task in tasks:
        task.cancel()
    with urllib.request.urlopen(urllib.request.Request(resource, method="DELETE")) as ended:
        seen["ended"] = ended.status
    await pc.close()
    print(json.dumps(seen))


asyncio.run(watch(sys.argv[1]))

"""What gunicorn reads beside its command line: how long the first line of a request may be.

Longer ones get gunicorn's own bare page instead of ours. Its highest, 8190 bytes, is less than a search somebody
pasted a whole text into; the shop cuts that itself and answers with a page that helps.
"""

from gunicorn.http import message

limit_request_line = message.MAX_REQUEST_LINE = 16_384

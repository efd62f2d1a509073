# The server, for a PostgreSQL beside it; see docker-compose.yml.
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1

WORKDIR /app
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY graph_api graph_api
COPY migrations migrations
RUN pip install --constraint constraints.txt . \
    && python -m compileall -q /usr/local/lib/python3.11/site-packages \
    && useradd --system --create-home --home-dir /var/lib/graph-api graph-api

USER graph-api
WORKDIR /var/lib/graph-api
EXPOSE 8000
# Not in a shell, so that SIGTERM reaches it and requests are drained.
ENTRYPOINT ["graph-api"]
CMD ["serve", "--host", "0.0.0.0"]

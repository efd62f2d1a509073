FROM python:3.11-slim

WORKDIR /src
COPY . .
RUN pip install --no-cache-dir -c constraints.txt . && rm -rf /src

# The embedded server and the made-up secret want a home of an ordinary user.
RUN useradd --create-home graph-api
USER graph-api
WORKDIR /home/graph-api

EXPOSE 8000
CMD ["graph-api", "serve", "--host", "0.0.0.0"]

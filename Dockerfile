# The gateway as a container: slim, not root, with a health check. Build: docker build -t tongguan .
FROM python:3.11-slim AS wheel
WORKDIR /source
COPY . .
RUN pip install --no-cache-dir build && python -m build --wheel --outdir /wheel .

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 tongguan \
    && mkdir -p /var/lib/tongguan /etc/tongguan \
    && chown tongguan /var/lib/tongguan
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel pip install --no-cache-dir /wheel/*.whl
USER tongguan
WORKDIR /var/lib/tongguan
# the operators' folder is mounted at /etc/tongguan; data lies under /var/lib/tongguan
ENV TONGGUAN_HTTP_HOST=0.0.0.0 TONGGUAN_LOG_FORMAT=json PYTHONUNBUFFERED=1
VOLUME ["/var/lib/tongguan"]
EXPOSE 8630
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8630/health/live', timeout=2)"]
ENTRYPOINT ["tongguan"]
CMD ["serve"]

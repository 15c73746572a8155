# checkov:skip=CKV_DOCKER_2:compose asks for the health of each service
# checkov:skip=CKV_DOCKER_7:the base is made on this machine and has no version
# hadolint global ignore=DL3006,DL3008
# Stand-ins for public images: Debian's build of the same program, with the user, the folders and the start of the public one.
# One stage an image, named as the image with - for /.

FROM dredge-standin AS base
ARG KEY
LABEL dredge.standin=true dredge.standin.key=$KEY
COPY ca/ /usr/local/share/ca-certificates/
COPY pip.conf /etc/
# As in the public image of Debian, a package that is installed starts nothing and is not kept.
RUN update-ca-certificates && printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d \
    && echo 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin"; };' >/etc/apt/apt.conf.d/docker-clean

FROM base AS python
ENV LANG=C.UTF-8
RUN apt-get update && apt-get install -y --no-install-recommends python-is-python3 python3-pip python3-venv \
    && rm -rf /usr/lib/python3*/EXTERNALLY-MANAGED /var/lib/apt/lists/*
CMD ["python3"]

FROM base AS programs
RUN --mount=type=bind,source=debs,target=/debs \
    apt-get update && apt-get install -y --no-install-recommends busybox redis-server && rm -rf /var/lib/apt/lists/* \
    && for deb in /debs/*.deb; do dpkg -x "$deb" /; done \
    && ln -s busybox /usr/bin/wget \
    && for name in alertmanager redis-exporter nginx-exporter; do prometheus-$name --version; done \
    && prometheus --version && nginx -V

FROM programs AS redis
RUN install -d -o 999 -g 1000 /data
USER 999:1000
WORKDIR /data
VOLUME /data
CMD ["redis-server"]

FROM programs AS nginx
RUN echo 'server { listen 80; root /usr/share/nginx/html; }' >/etc/nginx/conf.d/default.conf \
    && ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]

FROM nginx AS nginxinc-nginx-unprivileged
RUN sed -i 's/80/8080/' /etc/nginx/conf.d/default.conf \
    && sed -i -e '/^user/d' -e 's#^pid .*#pid /tmp/nginx.pid;#' /etc/nginx/nginx.conf \
    && install -d -o 101 /var/lib/nginx && chown -R 101 /etc/nginx
USER 101

FROM programs AS nginx-nginx-prometheus-exporter
USER 1001:1001
ENTRYPOINT ["prometheus-nginx-exporter"]

FROM programs AS oliver006-redis_exporter
USER 59000:59000
ENTRYPOINT ["prometheus-redis-exporter"]

FROM programs AS prom-prometheus
RUN install -d -o nobody -g nogroup /prometheus
USER 65534:65534
WORKDIR /prometheus
VOLUME /prometheus
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]

FROM programs AS prom-alertmanager
RUN install -d -o nobody -g nogroup /alertmanager && ln -s prometheus-alertmanager /usr/bin/alertmanager
USER 65534:65534
WORKDIR /alertmanager
VOLUME /alertmanager
ENTRYPOINT ["/bin/alertmanager"]
CMD ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"]

# Not Grafana: answers /api/health, after it found its password readable and its data folder writable.
FROM programs AS grafana-grafana
RUN install -d -o 472 -g 0 /var/lib/grafana && install -d /stub/api && echo '{"database": "ok", "version": "stand-in"}' >/stub/api/health
USER 472:0
ENTRYPOINT ["sh", "-ec", "name=${GF_SECURITY_ADMIN_PASSWORD#*__file{}; test -r ${name%\\}}; touch /var/lib/grafana/.; exec busybox httpd -f -p 3000 -h /stub"]

import '@sock/qrtr';
